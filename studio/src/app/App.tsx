/** The page: a bar on top, the graph, one panel beside it, the timeline below. */
import { useEffect, useState } from 'react';
import { TooltipLayer } from '../parts/Tooltip.tsx';
import { shownRun } from '../state/store.ts';
import { applyTheme, resolveTheme, storeThemeChoice, systemIsDark } from '../theme/theme.ts';
import styles from './App.module.css';
import { Banners } from './Banners.tsx';
import { FaultMenuHost } from './FaultMenuHost.tsx';
import { GraphArea } from './GraphArea.tsx';
import { KeyHelpDialog } from './KeyHelpDialog.tsx';
import { LinkOffer } from './LinkOffer.tsx';
import { Notices } from './Notices.tsx';
import { PanelArea } from './PanelArea.tsx';
import { fetchViews } from './panels/index.ts';
import { useActions, useStudio, useStudioState } from './studio.ts';
import { TimelineArea } from './TimelineArea.tsx';
import { TopBar } from './TopBar.tsx';
import { useKeys } from './use-keys.ts';
import { Welcome } from './Welcome.tsx';

export function App() {
  const [isHelpOpen, setHelpOpen] = useState(false);
  const isOpen = useStudioState((state) => state.design !== null);
  useTheme();
  useTicks();
  useTitle();
  useKeys(() => setHelpOpen(true));
  useViewsAtHand(isOpen);
  if (!isOpen) return <Welcome />;
  return (
    <div className={styles.page}>
      <TopBar onHelp={() => setHelpOpen(true)} />
      <Banners />
      <div className={styles.middle}>
        <GraphArea />
        <PanelArea />
      </div>
      <TimelineArea />
      <FaultMenuHost />
      <LinkOffer />
      <Notices />
      {isHelpOpen && <KeyHelpDialog onClose={() => setHelpOpen(false)} />}
      <TooltipLayer />
    </div>
  );
}

function useTheme(): void {
  const choice = useStudioState((state) => state.theme);
  useEffect(() => {
    storeThemeChoice(choice);
    const apply = () => applyTheme(resolveTheme(choice, systemIsDark()));
    apply();
    const system = matchMedia('(prefers-color-scheme: dark)');
    system.addEventListener('change', apply);
    return () => system.removeEventListener('change', apply);
  }, [choice]);
}

/** A page that was in the background does not leap ahead by the time it was away. */
const tickMaxMs = 250;

/** Moves the playhead, an animation frame at a time, as long as there is anything to move it. */
function useTicks(): void {
  const { store } = useStudio();
  const actions = useActions();
  useEffect(() => {
    let before = 0;
    let handle: number | undefined;
    const tick = (now: number) => {
      const elapsedMs = Math.min(tickMaxMs, Math.max(0, now - before));
      before = now;
      handle = undefined;
      actions.tick(Math.round(elapsedMs * 1_000));
      ask();
    };
    // A page at rest asks for no frames.
    const ask = () => {
      const { playing, following } = store.getState();
      if (handle !== undefined || !(playing || following)) return;
      handle = requestAnimationFrame(tick);
    };
    const begin = () => {
      if (handle === undefined) before = performance.now();
      ask();
    };
    begin();
    const end = store.subscribe((state, former) => {
      if (state.playing !== former.playing || state.following !== former.following) begin();
    });
    return () => {
      end();
      if (handle !== undefined) cancelAnimationFrame(handle);
    };
  }, [store, actions]);
}

/** The page begins with what it shows first; the other tabs come while nobody waits for anything. */
const viewsAfterMs = 1_500;

function useViewsAtHand(isOpen: boolean): void {
  useEffect(() => {
    if (!isOpen) return;
    const timer = setTimeout(() => void fetchViews(), viewsAfterMs);
    return () => clearTimeout(timer);
  }, [isOpen]);
}

function useTitle(): void {
  const name = useStudioState((state) => state.design?.structure?.design);
  const state = useStudioState((all) => shownRun(all)?.state);
  useEffect(() => {
    const running = state === 'running' ? '▶ ' : '';
    document.title = name === undefined ? 'Loadpath Studio' : `${running}${name} · Loadpath Studio`;
  }, [name, state]);
}
