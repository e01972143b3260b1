import { requestOf } from '../../state/form.ts';
import { canRun } from '../../state/store.ts';
import { SweepView } from '../../sweep/SweepView.tsx';
import { useActions, useStudio, useStudioState } from '../studio.ts';

const noOptions = {};

export default function Sweep() {
  const { store } = useStudio();
  const actions = useActions();
  const options = useStudioState((state) => state.design?.options ?? noOptions);
  const ratePerSec = useStudioState((state) => state.design?.structure?.ratePerSec);
  const sweep = useStudioState((state) => state.sweep);
  const isReady = useStudioState(canRun);
  return (
    <SweepView
      options={options}
      ratePerSec={ratePerSec}
      sweep={sweep}
      canRun={isReady}
      onStart={(over, values, seeds) => {
        const { form, faultList, edits, design } = store.getState();
        if (!design) return;
        const { seeds: _, ...run } = requestOf(form, faultList, edits, design);
        void actions.startSweep({ over, values, seeds, run });
      }}
      onStop={() => void actions.stopSweep()}
      onRunPoint={(over, value) => {
        if (over === 'rate') actions.setForm({ rate: value });
        else actions.edit(over, value);
        void actions.run();
      }}
    />
  );
}
