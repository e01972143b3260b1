/** Which design, what to run, what came of it. */
import { lazy, Suspense, useState } from 'react';
import { IconButton } from '../parts/Button.tsx';
import { CopyLine } from '../parts/Copy.tsx';
import { Icon, type IconName } from '../parts/Icon.tsx';
import { nextTheme, type ThemeChoice } from '../theme/theme.ts';
import { RunControl } from './RunControl.tsx';
import { ShareMenu } from './ShareMenu.tsx';
import { useActions, useStudio, useStudioState } from './studio.ts';
import styles from './TopBar.module.css';
import { VerdictPill } from './VerdictPill.tsx';

const LabsDialog = lazy(() => import('../labs/LabsDialog.tsx'));

const themeIcons: Readonly<Record<ThemeChoice, IconName>> = {
  system: 'system',
  light: 'sun',
  dark: 'moon',
};

export function TopBar({ onHelp }: { readonly onHelp: () => void }) {
  const actions = useActions();
  const design = useStudioState((state) => state.design);
  const mode = useStudioState((state) => state.hello?.mode);
  const theme = useStudioState((state) => state.theme);
  return (
    <header className={styles.bar}>
      <div className={styles.inside}>
        <h1 className={styles.design} data-tip={design?.path}>
          <Logo />
          <span className={styles.name}>
            {design?.structure?.design ?? design?.path.split('/').at(-1)}
          </span>
          {mode === 'live' && (
            <span className={styles.live}>
              <Icon name="live" size={14} /> live
            </span>
          )}
          {mode === 'report' && <span className={styles.mode}>report</span>}
        </h1>
        {mode === 'design' && <RunControl />}
        {mode === 'live' && <LiveAddress />}
        <span className={styles.space} />
        <VerdictPill />
        <ShareMenu />
        <span className={styles.tools}>
          {mode === 'design' && <LabsButton />}
          <IconButton
            icon={themeIcons[theme]}
            label={`Theme: ${theme}`}
            shortcut="T"
            onPress={() => actions.setTheme(nextTheme(theme))}
          />
          <IconButton icon="keyboard" label="Keys" shortcut="?" opens="dialog" onPress={onHelp} />
        </span>
      </div>
    </header>
  );
}

/** Experiments, whatever design is open. */
function LabsButton() {
  const { client } = useStudio();
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      <IconButton icon="flask" label="Labs" opens="dialog" onPress={() => setOpen(true)} />
      {isOpen && (
        <Suspense fallback={null}>
          <LabsDialog labs={client} onClose={() => setOpen(false)} />
        </Suspense>
      )}
    </>
  );
}

function LiveAddress() {
  const live = useStudioState((state) => state.live);
  if (!live) return null;
  const command = live.tryIt[0] ?? (live.urls[0] ? `curl ${live.urls[0]}` : undefined);
  return (
    <div className={styles.address}>
      {live.urls.map((url) => (
        <a key={url} href={url} target="_blank" rel="noreferrer">
          {url}
        </a>
      ))}
      {command && <CopyLine text={command} label="Copy a request to try" />}
    </div>
  );
}

export function Logo() {
  return (
    <svg aria-hidden="true" width="20" height="20" viewBox="0 0 32 32" className={styles.logo}>
      <rect width="32" height="32" rx="7" />
      <path d="M7 16h7l5-6h6M14 16l5 6h6" />
      <circle cx="8" cy="16" r="2.6" />
      <circle cx="25" cy="10" r="2.6" />
      <circle cx="25" cy="22" r="2.6" />
    </svg>
  );
}
