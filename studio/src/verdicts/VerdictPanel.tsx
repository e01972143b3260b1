/** Whether the design kept its promises, which it broke, what else happened, and how to repeat it. */
import type { Evidence, Micros, Report, Summary } from 'loadpath/studio';
import type { ReactNode } from 'react';
import { Button } from '../parts/Button.tsx';
import { CopyLine } from '../parts/Copy.tsx';
import { clockText, plural, wholeText } from '../parts/format.ts';
import { Icon, type IconName } from '../parts/Icon.tsx';
import type { Mark } from '../state/marks.ts';
import styles from './VerdictPanel.module.css';
import {
  accountOf,
  figuresOf,
  headlineOf,
  type Promised,
  promisesOf,
  type Standing,
} from './verdict.ts';

export interface VerdictPanelProps {
  readonly report: Report;
  readonly summary: Summary | null;
  readonly marks: readonly Mark[];
  /** What became better or worse against the run before, in sentences. */
  readonly changes: readonly string[];
  /** Before its end: the command goes on where this run does not. */
  readonly isStopped: boolean;
  /** So many other seeds have not ended: what they show may still be worse. */
  readonly seedsLeft: number;
  readonly replayCommand: string;
  readonly onSeek: (us: Micros) => void;
  readonly onCompare: () => void;
  /** Draws what shows that a promise is broken. */
  readonly drawEvidence: (evidence: Evidence) => ReactNode;
}

const icons: Readonly<Record<Standing, IconName>> = {
  holds: 'check',
  violated: 'cross',
  unknown: 'question',
};

const words: Readonly<Record<Standing, string>> = {
  holds: 'holds',
  violated: 'broken',
  unknown: 'undecided',
};

const storyMax = 60;

export function VerdictPanel(props: VerdictPanelProps) {
  const { report, summary, marks, changes, onSeek } = props;
  const headline = headlineOf(report);
  return (
    <section className={styles.panel} aria-label="Verdict">
      <div className={`${styles.headline} ${styles[headline.standing]}`} role="status">
        <span className={styles.seal}>
          <Icon name={icons[headline.standing]} size={22} />
        </span>
        <div>
          <h2>{headline.word}</h2>
          <p>
            {headline.text}
            {props.isStopped ? ', as far as it ran.' : '.'}
            {props.seedsLeft > 0 &&
              ` This is seed ${report.seed}: ${plural(props.seedsLeft, 'other')} still to come.`}
          </p>
        </div>
      </div>
      {changes.length > 0 && (
        <>
          <div className={styles.title}>
            <h3>Against the run before</h3>
            <Button small tone="quiet" icon="compare" onPress={props.onCompare}>
              Compare
            </Button>
          </div>
          <ul className={styles.sentences}>
            {changes.map((sentence) => (
              <li key={sentence}>{sentence}</li>
            ))}
          </ul>
        </>
      )}

      <dl className={styles.figures}>
        {figuresOf(report).map(({ name, value }) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <p className={styles.account}>{accountOf(report)}</p>

      <h3 className={styles.title}>Promises</h3>
      <ul className={styles.promises}>
        {promisesOf(report).map((promised) => (
          <PromiseRow key={promised.key} promised={promised} {...props} />
        ))}
      </ul>

      {summary && summary.seeds.length > 1 && <Seeds summary={summary} />}

      {Object.keys(report.errors).length > 0 && (
        <>
          <h3 className={styles.title}>Errors, as users saw them</h3>
          <dl className={styles.errors}>
            {Object.entries(report.errors).map(([reason, count]) => (
              <div key={reason}>
                <dt>{reason}</dt>
                <dd>{wholeText(count)}</dd>
              </div>
            ))}
          </dl>
        </>
      )}

      <h3 className={styles.title}>What happened</h3>
      {marks.length === 0 ? (
        <p className={styles.account}>Nothing went wrong, and nothing was made to go wrong.</p>
      ) : (
        <ol className={styles.story}>
          {marks.slice(0, storyMax).map((mark) => (
            <li key={`${mark.atUs} ${mark.type} ${mark.text}`}>
              <button type="button" className={styles.event} onClick={() => onSeek(mark.atUs)}>
                <time>{clockText(mark.atUs)}</time>
                <span className={styles[mark.type]}>{mark.text}</span>
              </button>
            </li>
          ))}
          {marks.length > storyMax && (
            <li className={styles.account}>
              and {plural(marks.length - storyMax, 'more event')} on the timeline
            </li>
          )}
        </ol>
      )}

      {report.notes.length > 0 && (
        <>
          <h3 className={styles.title}>To know</h3>
          <ul className={styles.sentences}>
            {report.notes.map((note) => (
              <li key={note}>{note}</li>
            ))}
          </ul>
        </>
      )}

      <h3 className={styles.title}>The same run again</h3>
      <CopyLine text={props.replayCommand} label="Copy the command" />
      <p className={styles.account}>
        Seed {report.seed}
        {props.isStopped && ', which was stopped: the command runs it to its end'}
        {report.digest !== null && !props.isStopped && (
          <>
            {' '}
            · digest <code>{report.digest}</code>, the same from the command line
          </>
        )}
      </p>
    </section>
  );
}

interface PromiseRowProps extends VerdictPanelProps {
  readonly promised: Promised;
}

function PromiseRow({ promised, drawEvidence }: PromiseRowProps) {
  const { standing, name, detail, target, share } = promised;
  return (
    <li className={`${styles.promise} ${styles[standing]}`}>
      <span className={styles.sign} role="img" aria-label={words[standing]}>
        <Icon name={icons[standing]} size={14} />
      </span>
      <div className={styles.what}>
        <span className={styles.name}>{name}</span>
        <span className={styles.detail}>
          {detail}
          {target !== '' && <span className={styles.target}> · {target}</span>}
        </span>
        {share !== null && promised.type === 'objective' && (
          <span className={styles.bar} aria-hidden="true">
            <span style={{ width: `${Math.min(1, share / 1.5) * 100}%` }} />
          </span>
        )}
        {promised.evidence && drawEvidence(promised.evidence)}
        {promised.counterexample.length > 0 && (
          <details className={styles.evidence} open={promised.evidence === null}>
            <summary>The smallest history that shows it, in words</summary>
            <pre>{promised.counterexample.join('\n')}</pre>
          </details>
        )}
      </div>
    </li>
  );
}

function Seeds({ summary }: { readonly summary: Summary }) {
  const count = summary.seeds.length;
  return (
    <>
      <h3 className={styles.title}>Over {plural(count, 'seed')}</h3>
      <ul className={styles.sentences}>
        {summary.objectives.map((objective) => (
          <li key={objective.name}>
            {objective.name} held in {objective.heldCount} of {count}
            {objective.brokenSeeds.length > 0 &&
              `; broken by seed ${objective.brokenSeeds.slice(0, 8).join(', ')}`}
          </li>
        ))}
        {summary.invariants
          .filter((invariant) => invariant.holdsCount < count)
          .map((invariant) => (
            <li key={invariant.name}>
              {invariant.name} held in {invariant.holdsCount} of {count}
              {invariant.violatedSeeds.length > 0 &&
                `; broken by seed ${invariant.violatedSeeds.slice(0, 8).join(', ')}`}
            </li>
          ))}
      </ul>
    </>
  );
}
