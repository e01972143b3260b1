import { ChartsView } from '../../charts/ChartsView.tsx';
import { Empty } from '../../parts/Empty.tsx';
import { useShownTheme } from '../../theme/use-shown-theme.ts';
import { useActions, useShownRun, useStudioState } from '../studio.ts';

const noTargets = {};
/** A line in a chart need not move more often. */
const stepUs = 100_000;

export default function Charts() {
  const actions = useActions();
  const run = useShownRun();
  const selection = useStudioState((state) => state.selection);
  const targets = useStudioState((state) => state.design?.objectives ?? noTargets);
  const playheadUs = useStudioState((state) => Math.floor(state.playheadUs / stepUs) * stepUs);
  const theme = useShownTheme();
  if (!run?.layout) {
    return (
      <Empty icon="charts" title="No charts yet">
        They appear with the first frames of a run.
      </Empty>
    );
  }
  return (
    <ChartsView
      layout={run.layout}
      frames={run.frames}
      events={run.events}
      playheadUs={playheadUs}
      selection={selection}
      objectives={targets}
      theme={theme}
      onSeek={actions.seek}
    />
  );
}
