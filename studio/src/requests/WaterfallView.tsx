/** One request as a waterfall: a row a call, its time split, exact figures of the row in hand. */
import type { Waterfall } from 'loadpath/studio';
import { useMemo, useRef, useState } from 'react';
import { durationText, plural } from '../parts/format.ts';
import { spanAxis } from '../parts/plot/axis.ts';
import styles from './WaterfallView.module.css';
import {
  isLate,
  type PartKind,
  partWords,
  rowsOf,
  spanInWords,
  type WaterfallRow,
  whereTimeWent,
} from './waterfall.ts';

export interface WaterfallViewProps {
  readonly waterfall: Waterfall;
  readonly onSelectNode: (id: string) => void;
}

const legend: readonly PartKind[] = ['network', 'queued', 'served', 'waiting', 'other', 'lost'];

export function WaterfallView({ waterfall, onSelectNode }: WaterfallViewProps) {
  const { rows, fromUs, toUs } = useMemo(() => rowsOf(waterfall), [waterfall]);
  const [chosen, setChosen] = useState(0);
  const list = useRef<HTMLOListElement>(null);
  const spanUs = toUs - fromUs;
  const at = (us: number) => `${((us - fromUs) / spanUs) * 100}%`;
  const ticks = spanAxis(0, spanUs, 4).ticks.filter((tick) => tick < spanUs * 0.97);
  const kinds = legend.filter((kind) =>
    rows.some((row) => row.parts.some((part) => part.kind === kind)),
  );
  const row = rows[Math.min(chosen, rows.length - 1)];
  const move = (event: React.KeyboardEvent) => {
    const there = { ArrowDown: chosen + 1, ArrowUp: chosen - 1, Home: 0, End: rows.length - 1 }[
      event.key
    ];
    if (there === undefined || !rows[there]) return;
    event.preventDefault();
    setChosen(there);
    list.current?.querySelectorAll<HTMLElement>('[data-row]')[there]?.focus();
  };
  return (
    <div className={styles.view}>
      <p className={styles.sentence}>{whereTimeWent(waterfall)}</p>
      <ul className={styles.legend} aria-label="What the bars mean">
        {kinds.map((kind) => (
          <li key={kind}>
            <span className={styles.key}>
              <span className={styles.part} data-kind={kind} />
            </span>
            {partWords[kind]}
          </li>
        ))}
      </ul>
      <div className={styles.ruler} aria-hidden="true">
        <div>
          {ticks.map((tick) => (
            <span key={tick} style={{ left: `${(tick / spanUs) * 100}%` }}>
              {durationText(tick)}
            </span>
          ))}
        </div>
      </div>
      <ol ref={list} className={styles.rows} aria-label={`Calls of ${waterfall.request.what}`}>
        {rows.map((one, index) => (
          <li key={one.span.id}>
            <button
              type="button"
              data-row
              className={styles.row}
              aria-current={index === chosen || undefined}
              tabIndex={index === chosen ? 0 : -1}
              onClick={() => setChosen(index)}
              onFocus={() => setChosen(index)}
              onPointerEnter={() => setChosen(index)}
              onKeyDown={move}
            >
              <Label row={one} />
              <span className="unseen">{spanInWords(one)}</span>
              <span className={styles.track}>
                {ticks.map((tick) => (
                  <span
                    key={tick}
                    className={styles.grid}
                    style={{ left: `${(tick / spanUs) * 100}%` }}
                  />
                ))}
                {one.parts.map((part) => (
                  <span
                    key={`${part.kind} ${part.fromUs}`}
                    className={styles.part}
                    data-kind={part.kind}
                    data-abandoned={part.isAbandoned || undefined}
                    style={{
                      left: at(part.fromUs),
                      width: `max(1px, ${((part.toUs - part.fromUs) / spanUs) * 100}%)`,
                    }}
                  />
                ))}
                <End row={one} at={at} />
              </span>
            </button>
          </li>
        ))}
      </ol>
      {waterfall.leftOut > 0 && (
        <p className={styles.note}>
          {plural(waterfall.leftOut, 'further call')} of this request are not shown.
        </p>
      )}
      {row && <Details row={row} fromUs={fromUs} onSelectNode={onSelectNode} />}
    </div>
  );
}

function Label({ row: { span, depth } }: { readonly row: WaterfallRow }) {
  return (
    <span className={styles.label} style={{ paddingLeft: Math.min(depth, 8) * 10 }}>
      <span className={styles.node}>{span.to}</span>
      {span.attempt > 1 && <span className={styles.retry}>try {span.attempt}</span>}
      <span className={styles.what}>{span.what}</span>
    </span>
  );
}

/** Where the caller stopped waiting, and how it ended unless well. */
function End({ row, at }: { readonly row: WaterfallRow; readonly at: (us: number) => string }) {
  const { span, gaveUpAt, endUs } = row;
  const words = endWords(span);
  return (
    <>
      {gaveUpAt !== null && <span className={styles.gaveUp} style={{ left: at(gaveUpAt) }} />}
      {words !== '' && (
        <span
          className={styles.outcome}
          data-tone={span.outcome === 'abandoned' ? 'plain' : undefined}
          data-flip={Number.parseFloat(at(endUs)) > 70 || undefined}
          style={{ left: at(endUs) }}
        >
          {words}
        </span>
      )}
    </>
  );
}

/** A quorum answers without its slowest member: that is not a failure. */
function endWords(span: WaterfallRow['span']): string {
  if (span.outcome === 'abandoned') return 'not waited for';
  if (isLate(span)) return '✗ late';
  return span.outcome === 'ok' ? '' : `✗ ${span.outcome}`;
}

function Details({
  row,
  fromUs,
  onSelectNode,
}: {
  readonly row: WaterfallRow;
  readonly fromUs: number;
  readonly onSelectNode: (id: string) => void;
}) {
  const { span } = row;
  const instant = (us: number | null) => (us === null ? 'never' : `+${durationText(us - fromUs)}`);
  const instants = [
    ['sent', span.sentAt],
    ['arrived', span.arrivedAt],
    ['replied', span.repliedAt],
    ['caller knew', span.endedAt],
  ] as const;
  return (
    <section className={styles.details} aria-label="The call in hand">
      <p>
        <button type="button" onClick={() => onSelectNode(span.from)}>
          {span.from}
        </button>{' '}
        →{' '}
        <button type="button" onClick={() => onSelectNode(span.to)}>
          {span.to}
        </button>{' '}
        <code>{span.what}</code>
      </p>
      <dl>
        {instants.map(([name, us]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{instant(us)}</dd>
          </div>
        ))}
      </dl>
      <p className={styles.words}>{spanInWords(row).replace(/^.*?\. /, '')}</p>
    </section>
  );
}
