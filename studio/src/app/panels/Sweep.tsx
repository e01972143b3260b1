import { requestOf } from '../../state/form.ts';
import { canRun } from '../../state/store.ts';
import { SweepView } from '../../sweep/SweepView.tsx';
import { useActions, useStudioState } from '../studio.ts';

export default function Sweep() {
  const actions = useActions();
  const design = useStudioState((state) => state.design);
  const form = useStudioState((state) => state.form);
  const faultList = useStudioState((state) => state.faultList);
  const edits = useStudioState((state) => state.edits);
  const sweep = useStudioState((state) => state.sweep);
  const isReady = useStudioState(canRun);
  if (!design) return null;
  const { seeds: _, ...run } = requestOf(form, faultList, edits, design);
  return (
    <SweepView
      options={design.options}
      ratePerSec={design.structure?.ratePerSec}
      run={run}
      designFaults={design.faults}
      sweep={sweep}
      canRun={isReady}
      onStart={(over, values, seeds) => void actions.startSweep({ over, values, seeds, run })}
      onStop={() => void actions.stopSweep()}
      onRunPoint={(over, value) => {
        if (over === 'rate') actions.setForm({ rate: value });
        else actions.edit(over, value);
        void actions.run();
      }}
    />
  );
}
