import { RequestsView } from '../../requests/RequestsView.tsx';
import { isGoing } from '../../state/run.ts';
import { useActions, useShownRun, useStudio, useStudioState } from '../studio.ts';

export default function Requests() {
  const { client } = useStudio();
  const actions = useActions();
  const run = useShownRun();
  const mode = useStudioState((state) => state.hello?.mode);
  const id = run?.id ?? '';
  return (
    <RequestsView
      run={run?.layout && !isGoing(run) && mode === 'design' ? id : null}
      whyNot={whyNot(mode, run && isGoing(run))}
      load={() => client.requests(id)}
      open={(index) => client.waterfall(id, index)}
      onSeek={actions.seek}
      onSelectNode={(node) => actions.select({ type: 'node', id: node })}
    />
  );
}

function whyNot(mode: string | undefined, going: boolean | undefined): string | undefined {
  if (mode === 'live')
    return 'Single requests are followed in simulations: a running system keeps none.';
  if (mode === 'report')
    return 'A saved report holds figures and courses, not the single requests.';
  return going
    ? 'The run is under way: its requests can be followed once it has ended.'
    : undefined;
}
