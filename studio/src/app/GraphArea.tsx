/** The graph with what the playhead is at; or why there is none. */
import type { JsonDesign } from 'loadpath/studio';
import { lazy, Suspense, useCallback, useEffect, useMemo } from 'react';
import { Graph } from '../graph/Graph.tsx';
import { Button } from '../parts/Button.tsx';
import { Empty } from '../parts/Empty.tsx';
import { activeFaults } from '../state/marks.ts';
import type { Selection } from '../state/selection.ts';
import { isDrawing, shownRun, shownStructure } from '../state/store.ts';
import { useShownTheme } from '../theme/use-shown-theme.ts';
import styles from './GraphArea.module.css';
import { Hint } from './Hint.tsx';
import { useActions, useRecent, useStudio, useStudioState } from './studio.ts';

const EditorArea = lazy(() => import('./EditorArea.tsx'));
const noPalette = [] as const;
const noEvents = [] as const;

export function GraphArea() {
  const actions = useActions();
  const structure = useStudioState(shownStructure);
  const palette = useStudioState((state) => state.hello?.palette ?? noPalette);
  const selection = useStudioState((state) => state.selection);
  const playing = useStudioState((state) => state.playing);
  const theme = useShownTheme();
  const mode = useStudioState((state) => state.hello?.mode);
  // Not the run itself: it is another with every piece that streams in.
  const layout = useStudioState((state) => shownRun(state)?.layout ?? null);
  const events = useStudioState((state) => shownRun(state)?.events ?? noEvents);
  const recent = useRecent();
  const atUs = recent.frames.at(-1)?.toUs ?? 0;
  const faults = useMemo(() => activeFaults(events, atUs), [events, atUs]);
  const onContext = useCallback(
    (target: Selection, at: { readonly x: number; readonly y: number }) => {
      if (mode === 'report') actions.select(target);
      else actions.openFaultMenu({ target, x: at.x, y: at.y });
    },
    [actions, mode],
  );
  const data = useStudioState((state) =>
    state.hello?.mode === 'design' && state.design?.kind === 'data' ? state.design.data : null,
  );
  const { store } = useStudio();
  const drawing = useStudioState(isDrawing);
  const setDrawing = (wanted: boolean) => store.setState({ drawing: wanted });
  // Drawn on once, a board stays until one leaves it.
  useEffect(() => {
    if (drawing) store.setState({ drawing: true });
  }, [drawing, store]);
  const positions = useMemo(() => positionsIn(data), [data]);
  if (data && drawing) {
    return (
      <main className={styles.area} aria-label="Drawing board">
        <DrawSwitch drawing onSwitch={setDrawing} />
        <Suspense>
          <EditorArea design={data} />
        </Suspense>
      </main>
    );
  }
  return (
    <main className={styles.area} aria-label="Graph">
      {data && <DrawSwitch drawing={false} onSwitch={setDrawing} />}
      {structure && structure.blocks.length > 0 ? (
        <Suspense>
          <Graph
            design={structure}
            palette={palette}
            layout={layout}
            recent={recent}
            activeFaults={faults}
            selection={selection}
            theme={theme}
            playing={playing}
            positions={positions}
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

function DrawSwitch({
  drawing,
  onSwitch,
}: {
  readonly drawing: boolean;
  readonly onSwitch: (drawing: boolean) => void;
}) {
  return (
    <div className={styles.switch} data-drawing={drawing || undefined}>
      <Button
        small
        tone={drawing ? 'primary' : 'plain'}
        icon={drawing ? 'play' : 'edit'}
        tip={drawing ? 'Back to the graph with the traffic on it' : 'Change the design by drawing'}
        onPress={() => onSwitch(!drawing)}
      >
        {drawing ? 'Show traffic' : 'Edit'}
      </Button>
    </div>
  );
}

/** Where blocks stand on the drawing board: the graph keeps them there. */
function positionsIn(
  data: JsonDesign | null,
): Readonly<Record<string, { readonly x: number; readonly y: number }>> | undefined {
  const studio = data?.studio as { readonly positions?: Record<string, unknown> } | undefined;
  if (!studio?.positions) return undefined;
  const places = Object.entries(studio.positions).flatMap(([name, at]) =>
    Array.isArray(at) ? [[name, { x: Number(at[0]), y: Number(at[1]) }] as const] : [],
  );
  return Object.fromEntries(places);
}
