/** Where the shown run stands, in two words; opens the verdict. */
import { Icon, type IconName } from '../parts/Icon.tsx';
import { isOutOfReach } from '../state/store.ts';
import { pillOf, type Standing } from '../verdicts/pill.ts';
import { useActions, useShownRun, useStudioState } from './studio.ts';
import styles from './VerdictPill.module.css';

const icons: Readonly<Record<Standing, IconName>> = {
  holds: 'check',
  violated: 'cross',
  unknown: 'question',
  lost: 'link',
  none: 'clock',
};

export function VerdictPill() {
  const actions = useActions();
  const run = useShownRun();
  const isAlone = useStudioState(isOutOfReach);
  if (!run) return null;
  const { standing, text, share } = pillOf(run, isAlone);
  return (
    <button
      type="button"
      className={`${styles.pill} ${styles[standing] ?? ''}`}
      // A background is painted anew, and nothing is laid out or composed for it.
      style={share === null ? undefined : { backgroundSize: `${share * 100}% 100%` }}
      data-tip="Show the verdict"
      onClick={() => actions.setPanel('verdict')}
    >
      <span className={styles.text} role="status">
        <Icon name={icons[standing]} size={14} />
        {text}
      </span>
    </button>
  );
}
