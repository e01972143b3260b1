/** Who sent what to whom, when: a window of a run as a space-time diagram. */
import type { MessageWindow, RunEvent } from 'loadpath/studio';
import { useMemo, useState } from 'react';
import { Button } from '../parts/Button.tsx';
import { Empty } from '../parts/Empty.tsx';
import { Choice } from '../parts/Field.tsx';
import { plural } from '../parts/format.ts';
import { useAnswer } from '../parts/use-answer.ts';
import { Diagram } from './Diagram.tsx';
import { instantText } from './diagram.ts';
import styles from './MessagesView.module.css';

export interface MessagesQuery {
  readonly fromUs: number;
  readonly toUs: number;
  /** Nodes or blocks: messages among them. */
  readonly nodes: readonly string[];
}

export interface MessagesViewProps {
  /** Which run; null while there is none that can be asked. */
  readonly run: string | null;
  readonly whyNot?: string | undefined;
  /** Node ids in the order of the design. */
  readonly nodes: readonly string[];
  readonly blocks: readonly string[];
  readonly events: readonly RunEvent[];
  readonly atUs: number;
  /** Where the load ended: nothing is to be seen after it. */
  readonly untilUs: number;
  readonly theme: string;
  readonly load: (query: MessagesQuery) => Promise<MessageWindow>;
  readonly onSeek: (us: number) => void;
}

const lengths = ['1ms', '5ms', '20ms', '100ms', '500ms', '2s'] as const;
type Length = (typeof lengths)[number];
const lengthsUs: Readonly<Record<Length, number>> = {
  '1ms': 1_000,
  '5ms': 5_000,
  '20ms': 20_000,
  '100ms': 100_000,
  '500ms': 500_000,
  '2s': 2_000_000,
};

export function MessagesView(props: MessagesViewProps) {
  const { run, whyNot, blocks, atUs, untilUs } = props;
  const [chosen, setChosen] = useState<readonly string[]>([]);
  const [length, setLength] = useState<Length>('20ms');
  // Where one looked, not where the playhead goes on to: the window stays until one asks anew.
  const [centreUs, setCentreUs] = useState(atUs);
  const lengthUs = lengthsUs[length];
  const fromUs = Math.max(0, Math.round(Math.min(centreUs - lengthUs / 2, untilUs - lengthUs)));
  const query = { fromUs, toUs: fromUs + lengthUs, nodes: chosen };
  const [answer, again] = useAnswer(
    () => props.load(query),
    run === null ? null : `${run} ${fromUs} ${lengthUs} ${chosen.join()}`,
  );
  if (run === null) {
    return (
      <Empty icon="messages" title="No messages to look at">
        {whyNot ?? 'Run the design: afterwards every message between its nodes can be seen.'}
      </Empty>
    );
  }
  const toggle = (name: string) =>
    setChosen(chosen.includes(name) ? chosen.filter((one) => one !== name) : [...chosen, name]);
  return (
    <div className={styles.view}>
      <fieldset className={styles.blocks}>
        <legend className="unseen">Messages among</legend>
        <Button small pressed={chosen.length === 0} tone="quiet" onPress={() => setChosen([])}>
          everybody
        </Button>
        {blocks.map((block) => (
          <Button
            key={block}
            small
            pressed={chosen.includes(block)}
            tone="quiet"
            tip={`Messages among ${block} and what else is chosen`}
            onPress={() => toggle(block)}
          >
            {block}
          </Button>
        ))}
      </fieldset>
      <div className={styles.tools}>
        <Button
          small
          icon="previous"
          tip="The time before"
          disabled={fromUs === 0}
          onPress={() => setCentreUs(fromUs - lengthUs / 2)}
        >
          Earlier
        </Button>
        <Choice
          label="window"
          inline
          value={length}
          choices={lengths.map((value) => ({ value, label: value }))}
          onChange={setLength}
        />
        <Button
          small
          tip="The time after"
          disabled={fromUs + lengthUs >= untilUs}
          onPress={() => setCentreUs(fromUs + lengthUs * 1.5)}
        >
          Later
        </Button>
        <Button
          small
          icon="clock"
          tip="The window around the playhead"
          onPress={() => setCentreUs(atUs)}
        >
          At the playhead
        </Button>
      </div>
      {answer.state === 'asking' && (
        <p className={styles.status} role="status">
          Running this seed once more, up to {instantText(query.toUs, lengthUs)}, with the recorder
          on …
        </p>
      )}
      {answer.state === 'refused' && (
        <div className={styles.status} role="alert">
          <p>{answer.why}</p>
          <Button small icon="restart" onPress={again}>
            Try again
          </Button>
        </div>
      )}
      {answer.state === 'there' && <Window {...props} window={answer.value} />}
    </div>
  );
}

function Window({ window, ...props }: MessagesViewProps & { readonly window: MessageWindow }) {
  const counts = useMemo(() => {
    const lost = window.messages.filter((message) => message.arrivedAt === null).length;
    const late = window.messages.filter((message) => message.late).length;
    return [
      plural(window.messages.length, 'message'),
      ...(lost > 0 ? [`${lost} never arrived`] : []),
      ...(late > 0 ? [`${late} came too late`] : []),
      ...(window.leftOut > 0
        ? [`${window.leftOut} more are not shown: choose a shorter window or fewer blocks`]
        : []),
    ].join(', ');
  }, [window]);
  if (window.messages.length === 0) {
    return <p className={styles.status}>Nothing was sent among these in this window.</p>;
  }
  return (
    <>
      <p className={styles.count} role="status">
        {counts}.
      </p>
      <Diagram
        key={`${window.fromUs} ${window.toUs}`}
        window={window}
        nodes={props.nodes}
        events={props.events}
        playheadUs={props.atUs}
        theme={props.theme}
        onSeek={props.onSeek}
      />
    </>
  );
}
