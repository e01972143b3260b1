/** Two runs side by side: first what differs, in words; then the courses; then every figure. */
import { type Compared, type ComparedRow, compareReports } from 'loadpath/studio';
import { useMemo, useState } from 'react';
import { Button } from '../parts/Button.tsx';
import { Columns } from '../parts/Columns.tsx';
import { Empty } from '../parts/Empty.tsx';
import { Choice } from '../parts/Field.tsx';
import type { Span } from '../parts/plot/live-plot.ts';
import { PlotView } from '../parts/plot/PlotView.tsx';
import type { RunState } from '../state/run.ts';
import styles from './CompareView.module.css';
import { type Course, pairedBands, pairedPlots } from './paired.ts';
import { runTitle } from './run-title.ts';
import { changeText, differenceWords, estimateText, figureName } from './words.ts';

export interface CompareViewProps {
  /** All that the page has, the newest first. */
  readonly runs: readonly RunState[];
  /** What the shown run is held against. */
  readonly baseline: RunState | undefined;
  readonly shown: RunState | undefined;
  readonly playheadUs: number;
  readonly theme: string;
  readonly onBaseline: (id: string) => void;
  readonly onShow: (id: string) => void;
  readonly onSeek: (us: number) => void;
  /** Repeats both over several seeds; absent where nothing can be run. */
  readonly onReplicate?: (() => void) | undefined;
}

export function CompareView(props: CompareViewProps) {
  const { runs, baseline, shown } = props;
  const finished = runs.filter((run) => run.report !== null);
  if (finished.length < 2) {
    return (
      <Empty icon="compare" title="Nothing to compare yet">
        Run the design again with another option, load, seed or fault: the run before it is kept,
        and both stand here side by side.
      </Empty>
    );
  }
  const choices = finished.map((run) => ({ value: run.id, label: runTitle(run.request) }));
  return (
    <div className={styles.view}>
      <div className={styles.sides}>
        <Choice
          label="A, before"
          value={baseline?.id ?? ''}
          choices={baseline ? choices : [{ value: '', label: 'choose a run' }, ...choices]}
          onChange={props.onBaseline}
        />
        <Choice
          label="B, the run shown"
          value={shown?.id ?? ''}
          choices={choices}
          onChange={props.onShow}
        />
      </div>
      {baseline && shown && <Sides {...props} baseline={baseline} shown={shown} />}
    </div>
  );
}

function Sides(
  props: CompareViewProps & { readonly baseline: RunState; readonly shown: RunState },
) {
  const { baseline, shown, onReplicate } = props;
  const [a, b] = [comparedOf(baseline), comparedOf(shown)];
  const comparison = useMemo(() => (a && b ? compareReports(a, b) : undefined), [a, b]);
  if (!comparison) {
    return (
      <p className={styles.waiting} role="status">
        The figures of both are compared once the run shown has ended.
      </p>
    );
  }
  const { cautions, sentences, rows, promises, evidence } = comparison;
  return (
    <>
      <section aria-label="What differs">
        {cautions.map((caution) => (
          <p key={caution} className={styles.caution}>
            {caution}
          </p>
        ))}
        <ul className={styles.sentences}>
          {sentences.map((sentence) => (
            <li key={sentence}>{sentence}</li>
          ))}
        </ul>
        {evidence === 'one seed' && onReplicate && (
          <Button
            small
            icon="restart"
            tip="Repeats both over ten seeds: figures get intervals, and what is chance can be told apart"
            onPress={onReplicate}
          >
            Run 10 seeds of both
          </Button>
        )}
      </section>
      <Courses {...props} />
      {promises.length > 0 && <Promises promises={promises} />}
      <Figures rows={rows} />
    </>
  );
}

function Courses(
  props: CompareViewProps & { readonly baseline: RunState; readonly shown: RunState },
) {
  const { baseline, shown, playheadUs, theme, onSeek } = props;
  const [zoom, setZoom] = useState<Span | null>(null);
  const [a, b] = [courseOf(baseline), courseOf(shown)];
  const plots = useMemo(() => (a && b ? pairedPlots(a, b) : []), [a, b]);
  const bands = useMemo(() => (a && b ? pairedBands(a, b) : []), [a, b]);
  const whole = { fromUs: 0, toUs: ((plots[0]?.x.at(-1) ?? 1) + (plots[0]?.x[0] ?? 0)) * 1e6 };
  return plots.map((plot) => (
    <PlotView
      key={plot.id}
      plot={plot}
      bands={bands}
      span={zoom ?? whole}
      playheadUs={playheadUs}
      log={plot.unit === 'us'}
      theme={theme}
      cursorKey="compare"
      height={104}
      onSeek={onSeek}
      onZoom={setZoom}
    />
  ));
}

function Promises({
  promises,
}: {
  readonly promises: ReturnType<typeof compareReports>['promises'];
}) {
  const words = {
    kept: '✓ kept',
    broken: '✗ broken',
    unknown: '? unknown',
    absent: 'not promised',
  } as const;
  return (
    <section>
      <h3>Promises</h3>
      <table className={styles.table}>
        <Columns of={['promise', 'A', 'B']} />
        <tbody>
          {promises.map((promise) => (
            <tr key={promise.name}>
              <th scope="row">{promise.name}</th>
              <td data-kept={promise.a}>{words[promise.a]}</td>
              <td data-kept={promise.b}>{words[promise.b]}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Figures({ rows }: { readonly rows: readonly ComparedRow[] }) {
  const [all, setAll] = useState(false);
  const tells = (row: ComparedRow) => row.difference !== 'same' && row.difference !== 'unclear';
  const shown = rows.filter((row) => all || row.block === null || tells(row));
  const groups = [...new Set(shown.map((row) => row.block))];
  return (
    <section>
      <div className={styles.head}>
        <h3>Figures</h3>
        <Button small tone="quiet" pressed={all} onPress={() => setAll(!all)}>
          {all ? 'Only what differs in blocks' : `All ${rows.length} figures`}
        </Button>
      </div>
      <div className={styles.scroll}>
        <table className={styles.table}>
          <Columns of={['figure', 'A', 'B', 'change', 'verdict']} />
          {groups.map((block) => (
            <tbody key={block ?? ''}>
              <tr className={styles.group}>
                <th scope="rowgroup" colSpan={5}>
                  {block ?? 'What users saw'}
                </th>
              </tr>
              {shown
                .filter((row) => row.block === block)
                .map((row) => (
                  <tr key={row.what}>
                    <th scope="row">{figureName(row.what)}</th>
                    <td>{estimateText(row.unit, row.a)}</td>
                    <td>{estimateText(row.unit, row.b)}</td>
                    <td>{changeText(row)}</td>
                    <td data-difference={row.difference}>
                      <span aria-hidden="true">{differenceWords[row.difference].sign}</span>{' '}
                      {differenceWords[row.difference].word}
                    </td>
                  </tr>
                ))}
            </tbody>
          ))}
        </table>
      </div>
    </section>
  );
}

/** Over several seeds the summary says more than the one report. */
function comparedOf(run: RunState): Compared | undefined {
  return run.summary ?? run.report ?? undefined;
}

const courses = new WeakMap<RunState, Course>();

/** The same object for the same run, so that plots are made once. */
function courseOf(run: RunState): Course | undefined {
  if (!run.layout) return undefined;
  const known = courses.get(run);
  if (known) return known;
  const course = { layout: run.layout, frames: run.frames, events: run.events };
  courses.set(run, course);
  return course;
}
