/**
 * Why a promise is broken: the operations by client, an order for all before, and the one that has
 * none. Its reason in words stands with the promise that it breaks.
 */
import type { Evidence, RunEvent } from 'loadpath/studio';
import { useMemo, useRef, useState } from 'react';
import { Button } from '../parts/Button.tsx';
import { CopyLine } from '../parts/Copy.tsx';
import { clockText, plural } from '../parts/format.ts';
import { faultBands } from '../parts/plot/bands.ts';
import { useWidth } from '../parts/plot/use-width.ts';
import styles from './CounterexampleView.module.css';
import { type Bar, operationInWords, orderInWords, timelineOf } from './timeline.ts';

export interface CounterexampleViewProps {
  readonly evidence: Evidence;
  readonly events: readonly RunEvent[];
  /** The command that repeats the run; absent where nothing can be repeated. */
  readonly replayCommand?: string | undefined;
  readonly onSeek: (us: number) => void;
}

const rowHeight = 30;
const headHeight = 26;
const labelWidth = 84;
/** Room an operation needs to be read; more of them scroll. */
const operationPx = 52;

export function CounterexampleView({
  evidence,
  events,
  replayCommand,
  onSeek,
}: CounterexampleViewProps) {
  const timeline = useMemo(() => timelineOf(evidence), [evidence]);
  const [place, placeWidth] = useWidth();
  const [chosen, setChosen] = useState(evidence.culprit);
  const bars = useRef<HTMLDivElement>(null);
  const bands = useMemo(() => faultBands(events), [events]);
  const width = Math.max(placeWidth - labelWidth, timeline.bars.length * operationPx);
  const height = headHeight + timeline.rowCount * rowHeight + 6;
  const top = (row: number) => headHeight + row * rowHeight;
  const bar = timeline.bars[chosen];
  const move = (event: React.KeyboardEvent) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step === undefined || !timeline.bars[chosen + step]) return;
    event.preventDefault();
    setChosen(chosen + step);
    bars.current?.querySelectorAll<HTMLElement>('button')[chosen + step]?.focus();
  };
  return (
    <div className={styles.view}>
      <div ref={place} className={styles.place}>
        <div className={styles.lanes} style={{ width: labelWidth, height }}>
          {timeline.lanes.map((lane) => (
            <span
              key={lane.client}
              style={{ top: top(lane.row), height: lane.rowCount * rowHeight }}
            >
              {lane.client}
            </span>
          ))}
        </div>
        <div className={styles.scroll}>
          <div ref={bars} className={styles.drawing} style={{ width, height }}>
            {bands.map((band) => {
              const from = timeline.placeOf(band.fromUs);
              const to = Number.isFinite(band.toUs) ? timeline.placeOf(band.toUs) : 1;
              return to <= from ? null : (
                <span
                  key={`${band.fromUs} ${band.text}`}
                  className={styles.band}
                  style={{ left: from * width, width: (to - from) * width }}
                >
                  {band.text}
                </span>
              );
            })}
            {timeline.lanes.map((lane) => (
              <span
                key={lane.client}
                className={styles.lane}
                style={{ top: top(lane.row), height: lane.rowCount * rowHeight }}
              />
            ))}
            {timeline.breaks.map((one) => (
              <span key={one.at} className={styles.break} style={{ left: one.at * width }}>
                <span>{one.text}</span>
              </span>
            ))}
            <span className={styles.culpritLine} style={{ left: timeline.culpritAt * width }} />
            {timeline.bars.map((one) => (
              <OperationBar
                key={one.index}
                bar={one}
                width={width}
                top={top(one.row)}
                nextFrom={nextInRow(timeline.bars, one)}
                isChosen={one.index === chosen}
                onChoose={() => setChosen(one.index)}
                onKeyDown={move}
              />
            ))}
          </div>
        </div>
      </div>
      {bar && (
        <div className={styles.hand}>
          <output>{operationInWords(bar)}</output>
          <Button
            small
            tone="quiet"
            icon="clock"
            tip="Move the playhead there"
            onPress={() => onSeek(bar.operation.invokedAt)}
          >
            {clockText(bar.operation.invokedAt)}
          </Button>
        </div>
      )}
      <p className={styles.order}>{orderInWords(evidence, timeline)}</p>
      {timeline.letters.size > 0 && (
        <dl className={styles.letters}>
          {[...timeline.letters].map(([value, letter]) => (
            <div key={letter}>
              <dt>{letter}</dt>
              <dd>{value}</dd>
            </div>
          ))}
        </dl>
      )}
      {evidence.leftOut > 0 && (
        <p className={styles.note}>
          {plural(evidence.leftOut, 'operation')} further away in time are not shown.
        </p>
      )}
      {replayCommand !== undefined && (
        <div>
          <p className={styles.note}>The same run again, on the command line:</p>
          <CopyLine text={replayCommand} label="Copy the command" />
        </div>
      )}
    </div>
  );
}

function OperationBar({
  bar,
  width,
  top,
  nextFrom,
  isChosen,
  onChoose,
  onKeyDown,
}: {
  readonly bar: Bar;
  readonly width: number;
  readonly top: number;
  readonly nextFrom: number;
  readonly isChosen: boolean;
  readonly onChoose: () => void;
  readonly onKeyDown: (event: React.KeyboardEvent) => void;
}) {
  const left = bar.from * width;
  return (
    <button
      type="button"
      className={styles.operation}
      aria-current={isChosen || undefined}
      tabIndex={isChosen ? 0 : -1}
      data-culprit={bar.isCulprit || undefined}
      data-open={bar.isOpen || undefined}
      data-outside={(bar.place === null && !bar.isCulprit) || undefined}
      style={{
        left,
        top: top + 3,
        width: Math.max(8, nextFrom * width - left - 4),
        height: rowHeight - 6,
      }}
      onClick={onChoose}
      onFocus={onChoose}
      onPointerEnter={onChoose}
      onKeyDown={onKeyDown}
    >
      <span className={styles.bar} style={{ width: Math.max(6, (bar.to - bar.from) * width) }} />
      {bar.place !== null && (
        <span className={styles.number} aria-hidden="true">
          {bar.place}
        </span>
      )}
      {bar.isCulprit && (
        <span className={styles.number} aria-hidden="true">
          ✗
        </span>
      )}
      <span className={styles.what}>{bar.what}</span>
      <span className="unseen">{operationInWords(bar)}</span>
    </button>
  );
}

/** Up to where the words of a bar may reach. */
function nextInRow(bars: readonly Bar[], bar: Bar): number {
  const later = bars.filter((other) => other.row === bar.row && other.from > bar.from);
  return Math.min(1, ...later.map((other) => other.from));
}
