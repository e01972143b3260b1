/** The graph with what the playhead is at; or why there is none. */
import { Suspense, useCallback, useMemo } from 'react';
import { Graph } from '../graph/Graph.tsx';
import { Empty } from '../parts/Empty.tsx';
import { activeFaults } from '../state/marks.ts';
import type { Selection } from '../state/selection.ts';
import { resolveTheme, systemIsDark } from '../theme/theme.ts';
import styles from './GraphArea.module.css';
import { Hint } from './Hint.tsx';
import { useActions, useFrames, useShownRun, useStudioState } from './studio.ts';

const noPalette = [] as const;

export function GraphArea() {
  const actions = useActions();
  const structure = useStudioState((state) => state.design?.structure);
  const palette = useStudioState((state) => state.hello?.palette ?? noPalette);
  const selection = useStudioState((state) => state.selection);
  const playing = useStudioState((state) => state.playing);
  const theme = useStudioState((state) => state.theme);
  const mode = useStudioState((state) => state.hello?.mode);
  const run = useShownRun();
  const { frame, previous } = useFrames();
  const atUs = frame?.toUs ?? 0;
  const faults = useMemo(() => activeFaults(run?.events ?? [], atUs), [run?.events, atUs]);
  const onContext = useCallback(
    (target: Selection, at: { readonly x: number; readonly y: number }) => {
      if (mode === 'report') actions.select(target);
      else actions.openFaultMenu({ target, x: at.x, y: at.y });
    },
    [actions, mode],
  );
  return (
    <main className={styles.area} aria-label="Graph">
      {structure && structure.blocks.length > 0 ? (
        <Suspense>
          <Graph
            design={structure}
            palette={palette}
            layout={run?.layout ?? null}
            frame={frame}
            previous={previous}
            activeFaults={faults}
            selection={selection}
            theme={resolveTheme(theme, systemIsDark())}
            playing={playing}
            onSelect={actions.select}
            onContext={onContext}
          />
          {mode !== 'report' && <Hint />}
        </Suspense>
      ) : (
        <Empty icon="file" title="There is no graph yet">
          The design does not load. Mend what stands above and save the file: the page goes on by
          itself.
        </Empty>
      )}
    </main>
  );
}
