/** The sampled requests of a run, and the way of the one that is opened. */
import type { RequestRow, RequestSample, Waterfall } from 'loadpath/studio';
import { useMemo, useState } from 'react';
import { Button } from '../parts/Button.tsx';
import { Empty } from '../parts/Empty.tsx';
import { Choice } from '../parts/Field.tsx';
import { clockText, durationText } from '../parts/format.ts';
import { useAnswer } from '../parts/use-answer.ts';
import styles from './RequestsView.module.css';
import {
  countText,
  isFailed,
  nothingText,
  type RequestOrder,
  shownRequests,
} from './request-list.ts';
import { WaterfallView } from './WaterfallView.tsx';

export interface RequestsViewProps {
  /** Which run; null while there is none that can be asked. */
  readonly run: string | null;
  /** Why there is none, when that is not for want of a run: live runs keep no single requests. */
  readonly whyNot?: string | undefined;
  readonly load: () => Promise<RequestSample>;
  readonly open: (index: number) => Promise<Waterfall>;
  readonly onSeek: (us: number) => void;
  readonly onSelectNode: (id: string) => void;
}

const orders: readonly { readonly value: RequestOrder; readonly label: string }[] = [
  { value: 'slowest', label: 'slowest first' },
  { value: 'failed', label: 'failed only' },
  { value: 'first', label: 'in their order' },
];

export function RequestsView(props: RequestsViewProps) {
  const { run, whyNot } = props;
  const [answer, again] = useAnswer(props.load, run);
  const [opened, setOpened] = useState<number | null>(null);
  if (run === null) {
    return (
      <Empty icon="requests" title="No requests to look at">
        {whyNot ?? 'Run the design: afterwards every single request can be followed through it.'}
      </Empty>
    );
  }
  if (answer.state === 'asking') {
    return (
      <p className={styles.status} role="status">
        Running this seed once more, with the recorder on …
      </p>
    );
  }
  if (answer.state === 'refused') {
    return (
      <div className={styles.status} role="alert">
        <p>{answer.why}</p>
        <Button small icon="restart" onPress={again}>
          Try again
        </Button>
      </div>
    );
  }
  const { slowest, failed } = answer.value;
  const row = [...slowest, ...failed].find((one) => one.index === opened);
  return row ? (
    <Opened {...props} run={run} row={row} onBack={() => setOpened(null)} />
  ) : (
    <RequestTable sample={answer.value} onOpen={setOpened} />
  );
}

function RequestTable({
  sample,
  onOpen,
}: {
  readonly sample: RequestSample;
  readonly onOpen: (index: number) => void;
}) {
  const [order, setOrder] = useState<RequestOrder>('slowest');
  const [search, setSearch] = useState('');
  const rows = useMemo(() => [...sample.slowest, ...sample.failed], [sample]);
  const shown = useMemo(() => shownRequests(rows, { order, search }), [rows, order, search]);
  const slowest = Math.max(1, ...rows.map((row) => row.latencyUs ?? 0));
  return (
    <div className={styles.view}>
      <div className={styles.tools}>
        <Choice label="Show" inline value={order} choices={orders} onChange={setOrder} />
        <input
          type="search"
          className={styles.search}
          aria-label="Find requests"
          placeholder="GET /abc, timeout, #12"
          value={search}
          onChange={(event) => setSearch(event.target.value)}
        />
        <span className={styles.count} role="status">
          {countText(shown.length, sample)}
        </span>
      </div>
      {shown.length === 0 ? (
        <p className={styles.status}>{nothingText(sample, { order, search })}</p>
      ) : (
        <table className={styles.table}>
          <thead>
            <tr>
              <th scope="col">request</th>
              <th scope="col">sent at</th>
              <th scope="col">took</th>
              <th scope="col">
                <span className="unseen">length</span>
              </th>
              <th scope="col">outcome</th>
            </tr>
          </thead>
          <tbody>
            {shown.map((row) => (
              <tr
                key={row.index}
                data-failed={isFailed(row) || undefined}
                onClick={() => onOpen(row.index)}
              >
                <th scope="row">
                  <button
                    type="button"
                    data-tip="Show its way through the system"
                    onClick={(event) => {
                      event.stopPropagation();
                      onOpen(row.index);
                    }}
                  >
                    {row.what}
                  </button>
                  <span className={styles.index}>#{row.index}</span>
                </th>
                <td>{clockText(row.startUs)}</td>
                <td>{row.latencyUs === null ? 'no end' : durationText(row.latencyUs)}</td>
                <td className={styles.bar}>
                  <span style={{ width: `${((row.latencyUs ?? slowest) / slowest) * 100}%` }} />
                </td>
                <td>{isFailed(row) ? `✗ ${row.outcome}` : '✓ ok'}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </div>
  );
}

function Opened(
  props: RequestsViewProps & {
    readonly run: string;
    readonly row: RequestRow;
    readonly onBack: () => void;
  },
) {
  const { run, row, open, onBack, onSeek, onSelectNode } = props;
  const [answer, again] = useAnswer(() => open(row.index), `${run} ${row.index}`);
  return (
    <div className={styles.view}>
      <div className={styles.tools}>
        <Button small icon="previous" tone="quiet" onPress={onBack}>
          All requests
        </Button>
        <h3 className={styles.title}>
          {row.what} <span className={styles.index}>#{row.index}</span>
        </h3>
        <Button
          small
          tone="quiet"
          icon="clock"
          tip="Move the playhead to when it was sent"
          onPress={() => onSeek(row.startUs)}
        >
          {clockText(row.startUs)}
        </Button>
      </div>
      {answer.state === 'asking' && (
        <p className={styles.status} role="status">
          Following this request through one more run …
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
      {answer.state === 'there' && (
        <WaterfallView waterfall={answer.value} onSelectNode={onSelectNode} />
      )}
    </div>
  );
}
