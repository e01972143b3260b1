import { FaultsPanel } from '../../faults/FaultsPanel.tsx';
import { LiveFaults } from '../../faults/LiveFaults.tsx';
import { faultTimeUs } from '../../state/fault-actions.ts';
import { firstDifferenceUs, timeText } from '../../state/faults.ts';
import { allFaults, requestOf } from '../../state/form.ts';
import { activeFaults } from '../../state/marks.ts';
import { endUs } from '../../state/run.ts';
import { canRun, shownRun, shownStructure } from '../../state/store.ts';
import { useActions, useShownRun, useStudioState } from '../studio.ts';

export function Faults() {
  const isLive = useStudioState((state) => state.hello?.mode === 'live');
  return isLive ? <Live /> : <Planned />;
}

/** What is at work only changes this often to the eye. */
const stepUs = 100_000;

function Planned() {
  const actions = useActions();
  const design = useStudioState((state) => state.design);
  const structure = useStudioState(shownStructure);
  const list = useStudioState((state) => state.faultList);
  const playheadUs = useStudioState((state) => Math.floor(state.playheadUs / stepUs) * stepUs);
  const now = useStudioState((state) => timeText(faultTimeUs(state, shownRun(state))));
  const form = useStudioState((state) => state.form);
  const edits = useStudioState((state) => state.edits);
  const isReady = useStudioState(canRun);
  const run = useShownRun();
  if (!design || !structure) return null;
  const request = requestOf(form, list, edits, design);
  const changed =
    !run?.request ||
    firstDifferenceUs(allFaults(run.request, design.faults), allFaults(request, design.faults)) !==
      undefined;
  return (
    <FaultsPanel
      list={list}
      design={structure}
      playheadUs={playheadUs}
      nowText={now}
      changed={changed}
      canRun={isReady}
      onChange={actions.setFaults}
      onRun={() => void actions.runFaults()}
      onSave={() => void actions.saveFaults()}
      onSeek={actions.seek}
    />
  );
}

function Live() {
  const actions = useActions();
  const structure = useStudioState((state) => state.design?.structure);
  const run = useShownRun();
  if (!structure) return null;
  return (
    <LiveFaults
      design={structure}
      active={run ? activeFaults(run.events, endUs(run)) : []}
      onFault={actions.askLive}
      onHeal={() => void actions.healLive()}
    />
  );
}
