/** Seed after seed with faults of its own, until a promise breaks; then the shortest schedule that breaks it. */
import type { DesignView, Finding, HuntReport, HuntRequest } from 'loadpath/studio';
import { parseDuration } from 'loadpath/studio';
import { useState } from 'react';
import { Button } from '../parts/Button.tsx';
import { CopyLine } from '../parts/Copy.tsx';
import { Empty } from '../parts/Empty.tsx';
import { Field } from '../parts/Field.tsx';
import { plural, wholeText } from '../parts/format.ts';
import { commandOf } from '../state/form.ts';
import type { HuntState } from '../state/store.ts';
import styles from './HuntPanel.module.css';

export interface HuntPanelProps {
  readonly design: DesignView;
  readonly hunt: HuntState | null;
  readonly canStart: boolean;
  readonly onStart: (request: HuntRequest) => void;
  readonly onStop: () => void;
  readonly onTake: (finding: Finding) => void;
}

interface HuntForm {
  readonly seedFirst: string;
  readonly seedCount: string;
  readonly duration: string;
  /** Requests a second: few, since what breaks is the order of things and not their number. */
  readonly rate: string;
}

/** Long enough for an election and a recovery, short enough for hundreds. */
const presets: HuntForm = { seedFirst: '1', seedCount: '200', duration: '20s', rate: '50' };

export function HuntPanel({ design, hunt, canStart, onStart, onStop, onTake }: HuntPanelProps) {
  const [form, setForm] = useState(presets);
  const isGoing = hunt !== null && hunt.report === null && hunt.failure === null;
  const forUs = parseDuration(form.duration);
  const seedFirst = Number(form.seedFirst);
  const seedCount = Number(form.seedCount);
  const ratePerSec = Number(form.rate);
  const isRight =
    forUs !== undefined &&
    Number.isInteger(seedFirst) &&
    Number.isInteger(seedCount) &&
    seedCount > 0 &&
    ratePerSec > 0;
  const set = (change: Partial<HuntForm>) => setForm({ ...form, ...change });
  return (
    <section className={styles.panel} aria-label="Hunt">
      <p className={styles.lead}>
        Draws faults at random, a schedule a seed, and looks for one that breaks an invariant.
      </p>
      <div className={styles.form}>
        <Field
          label="Seeds"
          value={form.seedCount}
          numeric
          tip="How many schedules to try"
          onChange={(value) => set({ seedCount: value })}
        />
        <Field
          label="from seed"
          value={form.seedFirst}
          numeric
          onChange={(value) => set({ seedFirst: value })}
        />
        <Field
          label="each for"
          value={form.duration}
          tip="Virtual length of each run"
          problem={forUs === undefined ? 'A duration such as 20s.' : null}
          onChange={(value) => set({ duration: value })}
        />
        <Field
          label="requests/s"
          value={form.rate}
          numeric
          onChange={(value) => set({ rate: value })}
        />
        {isGoing ? (
          <Button icon="stop" onPress={onStop}>
            Stop
          </Button>
        ) : (
          <Button
            tone="primary"
            icon="hunt"
            disabled={!isRight || !canStart}
            onPress={() => onStart({ seedFirst, seedCount, forUs, ratePerSec })}
          >
            Hunt
          </Button>
        )}
      </div>
      {hunt ? (
        <Found hunt={hunt} isGoing={isGoing} path={design.path} onTake={onTake} />
      ) : (
        <Idle design={design} />
      )}
    </section>
  );
}

function Idle({ design }: { readonly design: DesignView }) {
  return (
    <Empty icon="hunt" title="Nothing hunted yet">
      {design.invariants.length === 0
        ? 'This design declares no invariants: only that requests are conserved will be judged.'
        : `Judged in every run: ${design.invariants.join(', ')}.`}
    </Empty>
  );
}

interface FoundProps {
  readonly hunt: HuntState;
  readonly isGoing: boolean;
  readonly path: string;
  readonly onTake: (finding: Finding) => void;
}

function Found({ hunt, isGoing, path, onTake }: FoundProps) {
  const { progress, findings, report, failure, request } = hunt;
  const done = report?.seedsDone ?? progress?.seedsDone ?? 0;
  const violated = report?.violatedCount ?? progress?.violatedCount ?? 0;
  const unknown = report?.unknownCount ?? progress?.unknownCount ?? 0;
  return (
    <>
      <div className={styles.progress}>
        <progress value={done} max={request.seedCount} aria-label="Seeds done" />
        <p role="status">
          {wholeText(done)} of {plural(request.seedCount, 'seed')}
          {isGoing ? '' : ' done'} ·{' '}
          {violated === 0 ? 'nothing broken' : `${plural(violated, 'seed')} broke something`}
          {unknown > 0 && ` · ${plural(unknown, 'seed')} undecided`}
          {progress?.shrinking &&
            isGoing &&
            ` · shrinking seed ${progress.shrinking.seed}: ${plural(progress.shrinking.faultCount, 'fault')} left`}
        </p>
      </div>
      {failure && <p className={styles.failure}>{failure.message}</p>}
      {report && findings.length === 0 && !failure && <Nothing report={report} />}
      {findings.map((finding) => (
        <article key={`${finding.seed} ${finding.invariant}`} className={styles.finding}>
          <h3>{finding.invariant}</h3>
          <p>{finding.detail}</p>
          <p className={styles.shrunk}>{shrunkText(finding)}</p>
          {finding.isRepeatable === false && (
            <p className={styles.failure}>
              It broke after other runs only: something outlives them, such as what a package keeps.
              On the command line, hunt with --isolate packages.
            </p>
          )}
          <ol className={styles.faults}>
            {finding.faults.map((fault) => (
              <li key={fault}>
                <code>{fault}</code>
              </li>
            ))}
          </ol>
          <div className={styles.actions}>
            <Button tone="primary" icon="play" onPress={() => onTake(finding)}>
              Use this schedule
            </Button>
          </div>
          <CopyLine text={replayOf(finding, path)} label="Copy the command" />
        </article>
      ))}
    </>
  );
}

function Nothing({ report }: { readonly report: HuntReport }) {
  const { ended, seedsDone, seedCount, seedFirst, unknownCount } = report;
  const title =
    ended !== 'seeds'
      ? `Stopped after ${wholeText(seedsDone)} of ${plural(seedCount, 'seed')}`
      : unknownCount > 0
        ? 'Nothing broke, as far as is known'
        : 'Every seed held';
  const next = ended === 'seeds' ? '' : ` Go on from seed ${seedFirst + seedsDone}.`;
  return (
    <Empty icon="verdict" title={title}>
      {`No schedule of these ${plural(seedsDone, 'seed')} broke an invariant. That is evidence, not proof: more seeds or longer runs look further.${next}`}
    </Empty>
  );
}

function replayOf(finding: Finding, path: string): string {
  const { seed, forUs, ratePerSec, faults, set = {} } = finding;
  return commandOf({ seed, forUs, ratePerSec, faults, ownFaults: false, set, probe: true }, path);
}

/** What is known of the shortest schedule. */
function shrunkText({ seed, faultCountBefore, faults, isShrunk }: Finding): string {
  const drawn = `Seed ${seed}: ${plural(faultCountBefore, 'fault')} drawn`;
  if (isShrunk) return `${drawn}, ${plural(faults.length, 'is', 'are')} enough`;
  return `${drawn}, ${faults.length} left; not shrunk to the end, fewer may do`;
}
