import { MessagesView } from '../../messages/MessagesView.tsx';
import { endUs, isGoing } from '../../state/run.ts';
import { useShownTheme } from '../../theme/use-shown-theme.ts';
import { useActions, useShownRun, useStudio, useStudioState } from '../studio.ts';

const none = [] as const;
/** A line across the diagram need not move more often. */
const stepUs = 1_000;

export default function Messages() {
  const { client } = useStudio();
  const actions = useActions();
  const run = useShownRun();
  const mode = useStudioState((state) => state.hello?.mode);
  const theme = useShownTheme();
  const atUs = useStudioState((state) => Math.floor(state.playheadUs / stepUs) * stepUs);
  const id = run?.id ?? '';
  const layout = run?.layout;
  return (
    <MessagesView
      run={run && layout && !isGoing(run) && mode === 'design' ? id : null}
      whyNot={whyNot(mode, run && isGoing(run))}
      nodes={layout?.nodes.map((node) => node.id) ?? none}
      blocks={layout?.blocks ?? none}
      events={run?.events ?? none}
      atUs={atUs}
      untilUs={run ? endUs(run) : 0}
      theme={theme}
      load={(query) => client.messages(id, query)}
      onSeek={actions.seek}
    />
  );
}

function whyNot(mode: string | undefined, going: boolean | undefined): string | undefined {
  if (mode === 'live') return 'Messages are recorded in simulations: a running system keeps none.';
  if (mode === 'report')
    return 'A saved report holds figures and courses, not the single messages.';
  return going ? 'The run is under way: its messages can be seen once it has ended.' : undefined;
}
