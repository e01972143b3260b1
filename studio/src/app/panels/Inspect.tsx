import { InspectView } from '../../inspect/InspectView.tsx';
import { canRun, shownStructure } from '../../state/store.ts';
import { useActions, useShownRun, useStudioState } from '../studio.ts';

const none = [] as const;
const noOptions = {};
const stepUs = 100_000;

export default function Inspect() {
  const actions = useActions();
  const run = useShownRun();
  const selection = useStudioState((state) => state.selection);
  const structure = useStudioState(shownStructure);
  const options = useStudioState((state) => state.design?.options ?? noOptions);
  const palette = useStudioState((state) => state.hello?.palette ?? none);
  const mode = useStudioState((state) => state.hello?.mode);
  const isReady = useStudioState(canRun);
  const edits = useStudioState((state) => state.edits);
  const problems = useStudioState((state) => state.refusal?.problems ?? none);
  const playheadUs = useStudioState((state) => Math.floor(state.playheadUs / stepUs) * stepUs);
  if (!structure) return null;
  return (
    <InspectView
      selection={selection}
      design={structure}
      palette={palette}
      layout={run?.layout ?? null}
      frames={run?.frames ?? none}
      events={run?.events ?? none}
      report={run?.report ?? null}
      playheadUs={playheadUs}
      options={options}
      edits={edits}
      problems={problems}
      canEdit={mode === 'design'}
      canRun={isReady}
      onEdit={actions.edit}
      onRun={() => {
        actions.setPanel('compare');
        void actions.run();
      }}
      onSelect={actions.select}
      onSeek={actions.seek}
    />
  );
}
