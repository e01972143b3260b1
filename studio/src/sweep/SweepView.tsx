/** One option over a range: the curve where a design gives in, growing while it is measured. */
import type { RunRequest, SweepPoint } from 'loadpath/studio';
import { useId, useState } from 'react';
import { Button } from '../parts/Button.tsx';
import { Columns } from '../parts/Columns.tsx';
import { Field } from '../parts/Field.tsx';
import { msText, plural, rateText, shareText } from '../parts/format.ts';
import { StillPlot } from '../parts/plot/StillPlot.tsx';
import type { Options } from '../state/edits.ts';
import type { SweepState } from '../state/store.ts';
import styles from './SweepView.module.css';
import {
  firstBroken,
  latencyPlot,
  pointInWords,
  restInWords,
  sweepables,
  throughputPlot,
  valuesProblem,
} from './sweep.ts';

export interface SweepViewProps {
  readonly options: Options;
  /** What the workload sends, where that is one number. */
  readonly ratePerSec: number | undefined;
  /** What every point is run with, but for its value and seeds. */
  readonly run: RunRequest;
  readonly designFaults: readonly string[];
  readonly sweep: SweepState | null;
  readonly canRun: boolean;
  readonly onStart: (over: string, values: string, seeds: number) => void;
  readonly onStop: () => void;
  /** Runs the design with this value, and shows that run. */
  readonly onRunPoint: (over: string, value: string) => void;
}

export function SweepView({
  options,
  ratePerSec,
  run,
  designFaults,
  sweep,
  canRun,
  onStart,
  onStop,
  onRunPoint,
}: SweepViewProps) {
  const known = sweepables(options, ratePerSec);
  const [over, setOver] = useState(sweep?.request.over ?? 'rate');
  const [typed, setTyped] = useState<string | null>(sweep?.request.values ?? null);
  const [seeds, setSeeds] = useState(String(sweep?.request.seeds ?? 3));
  const chosen = known.find((one) => one.over === over);
  const values = typed ?? chosen?.values ?? '';
  const problem = valuesProblem(values);
  const seedCount = /^[1-9]\d{0,2}$/.test(seeds) ? Number(seeds) : null;
  const canStart = canRun && chosen !== undefined && problem === null && seedCount !== null;
  const isGoing = sweep !== null && sweep.report === null && sweep.failure === null;
  const list = useId();
  return (
    <div className={styles.view}>
      <form
        className={styles.form}
        onSubmit={(event) => {
          event.preventDefault();
          if (canStart && !isGoing) onStart(over, values, seedCount);
        }}
      >
        <label className={styles.over}>
          Sweep
          <input
            list={list}
            value={over}
            spellCheck={false}
            autoComplete="off"
            aria-invalid={chosen ? undefined : true}
            onChange={(event) => {
              setOver(event.target.value);
              setTyped(null);
            }}
          />
        </label>
        <datalist id={list}>
          {known.map((one) => (
            <option key={one.over} value={one.over}>
              {one.now === null ? '' : `now ${one.now}`}
            </option>
          ))}
        </datalist>
        <div className={styles.values}>
          <Field
            label="over"
            value={values}
            onChange={setTyped}
            mono
            problem={problem}
            tip="A range such as 1..8 or 100/s..1000/s step 100/s, or values with commas between"
          />
        </div>
        <Field
          label="seeds each"
          value={seeds}
          onChange={setSeeds}
          width={4}
          numeric
          problem={seedCount === null ? '1 to 999' : null}
          tip="From 2 on, every point has a 95 % interval"
        />
        {isGoing ? (
          <Button icon="stop" onPress={onStop}>
            Stop
          </Button>
        ) : (
          <Button submit tone="primary" icon="play" disabled={!canStart}>
            Sweep
          </Button>
        )}
      </form>
      <p className={styles.hint}>
        {chosen
          ? chosen.now === null
            ? 'Requests a second that users send, in place of the design’s load.'
            : `The design says ${chosen.over} = ${chosen.now}.`
          : 'There is no such number in this design: choose one of the list.'}
        {chosen && ` ${restInWords(over, run, seedCount ?? 1, designFaults)}`}
      </p>
      {sweep?.failure && (
        <p className={styles.failure} role="alert">
          {sweep.failure.message}
        </p>
      )}
      {sweep && <Curves sweep={sweep} isGoing={isGoing} onRunPoint={onRunPoint} />}
    </div>
  );
}

function Curves({
  sweep,
  isGoing,
  onRunPoint,
}: {
  readonly sweep: SweepState;
  readonly isGoing: boolean;
  readonly onRunPoint: SweepViewProps['onRunPoint'];
}) {
  const { over } = sweep.request;
  const points = [...sweep.points].sort((a, b) => a.x - b.x);
  const knee = sweep.report?.knee;
  const labels = points.map((point) => point.value);
  const run = (index: number) => onRunPoint(over, points[index]!.value);
  const label = (index: number) => `${pointInWords(over, points[index]!)}. Run it.`;
  const [log, setLog] = useState(false);
  const shared = { height: 190, xTitle: over, xLabels: labels, pointLabel: label, onPoint: run };
  const mark = knee ? { x: knee.x, text: `knee at ${knee.value}` } : undefined;
  return (
    <>
      <p role="status" className={styles.status}>
        {isGoing
          ? `${plural(points.length, 'point')} measured, more to come …`
          : conclusion(sweep, points)}
      </p>
      {points.length > 1 && (
        <>
          <label className={styles.log}>
            <input
              type="checkbox"
              checked={log}
              onChange={(event) => setLog(event.target.checked)}
            />
            log latency
          </label>
          <StillPlot {...shared} plot={latencyPlot(over, points)} log={log} mark={mark} />
          <StillPlot {...shared} plot={throughputPlot(over, points)} log={false} mark={mark} />
        </>
      )}
      {points.length > 0 && <PointTable over={over} points={points} onRun={run} />}
    </>
  );
}

function PointTable({
  over,
  points,
  onRun,
}: {
  readonly over: string;
  readonly points: readonly SweepPoint[];
  readonly onRun: (index: number) => void;
}) {
  return (
    <div className={styles.scroll}>
      <table className={styles.table}>
        <Columns of={[over, 'completed', 'p50', 'p99', 'available', 'busiest', 'promises']} />
        <tbody>
          {points.map((point, index) => (
            <tr key={point.value} data-broken={point.heldCount < point.seedCount || undefined}>
              <th scope="row">
                <Button
                  small
                  tone="quiet"
                  icon="play"
                  tip={`Run with ${over} = ${point.value} and look at it`}
                  onPress={() => onRun(index)}
                >
                  {point.value}
                </Button>
              </th>
              <td>{rateText(point.throughputPerSec.mean)}</td>
              <td>{msText(point.latencyMs.p50.mean)}</td>
              <td>
                {msText(point.latencyMs.p99.mean)}
                {point.latencyMs.p99.plusMinus ? (
                  <small> ± {msText(point.latencyMs.p99.plusMinus)}</small>
                ) : null}
              </td>
              <td>{shareText(point.availability.mean)}</td>
              <td>
                {point.busiest} {shareText(point.utilisation.mean)}
              </td>
              <td>
                {point.heldCount === point.seedCount
                  ? '✓ kept'
                  : `✗ ${point.heldCount} of ${point.seedCount}`}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function conclusion(sweep: SweepState, points: readonly SweepPoint[]): string {
  const knee = sweep.report?.knee;
  const bend = knee
    ? `The curve bends at ${knee.value}: ${knee.why}`
    : 'The curve has no bend within these values.';
  const broken = firstBroken(points);
  return broken ? `${bend.replace(/\.?$/, '.')} ${broken}` : bend;
}
