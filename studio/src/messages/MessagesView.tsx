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
  readonly theme: string;
  readonly load: (query: MessagesQuery) => Promise<MessageWindow>;
  readonly onSeek: (us: number) => void;
}

const lengths = ['2ms', '10ms', '50ms', '200ms', '1s', '5s'] as const;
type Length = (typeof lengths)[number];
const lengthsUs: Readonly<Record<Length, number>> = {
  '2ms': 2_000,
  '10ms': 10_000,
  '50ms': 50_000,
  '200ms': 200_000,
  '1s': 1_000_000,
  '5s': 5_000_000,
};

export function MessagesView(props: MessagesViewProps) {
  const { run, whyNot, blocks, atUs } = props;
  const [chosen, setChosen] = useState<readonly string[]>([]);
  const [length, setLength] = useState<Length>('50ms');
  // Where one looked, not where the playhead goes on to: the window stays until one asks anew.
  const [centreUs, setCentreUs] = useState(atUs);
  const lengthUs = lengthsUs[length];
  const fromUs = Math.max(0, Math.round(centreUs - lengthUs / 2));
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
          onPress={() => setCentreUs(Math.max(lengthUs / 2, centreUs - lengthUs))}
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
        <Button small tip="The time after" onPress={() => setCentreUs(centreUs + lengthUs)}>
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
