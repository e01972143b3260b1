/** Before there is a verdict: how far the run is, how the promises stand so far, what happened. */
import type { Micros } from 'loadpath/studio';
import { clockText, countText, msText, plural, rateText, wholeText } from '../parts/format.ts';
import type { Mark, ObjectiveTargets } from '../state/marks.ts';
import { isGoing, lengthUs, type RunState } from '../state/run.ts';
import styles from './VerdictPanel.module.css';

export interface UnderwayProps {
  readonly run: RunState;
  readonly targets: ObjectiveTargets;
  readonly invariants: readonly string[];
  readonly marks: readonly Mark[];
  /** Whether its server is missed: nobody knows how it goes on. */
  readonly isOutOfReach: boolean;
  readonly onSeek: (us: Micros) => void;
}

const storyMax = 60;

export function Underway(props: UnderwayProps) {
  const { run, targets, invariants, marks, isOutOfReach, onSeek } = props;
  const { progress, layout } = run;
  const isEndless = layout?.forUs === null;
  return (
    <section className={styles.panel} aria-label="Verdict">
      <div className={`${styles.headline} ${styles.underway}`}>
        <div>
          <h2>{titleOf(run, isOutOfReach)}</h2>
          <p>
            {isOutOfReach && isGoing(run)
              ? 'This is what was heard of the run until contact was lost.'
              : isEndless
                ? 'A running system is judged when it ends; what it shows until then stands here.'
                : run.state === 'stopped' || run.state === 'failed'
                  ? 'There is no verdict on a run that did not end.'
                  : 'The verdict is spoken at the end of the run, over all of it.'}
          </p>
        </div>
      </div>
      {progress && (
        <dl className={styles.figures}>
          <Figure name="asked" value={wholeText(progress.generated)} />
          <Figure name="answered" value={wholeText(progress.completed)} />
          <Figure name="failed" value={wholeText(progress.failed + progress.rejected)} />
          <Figure name="now" value={rateText(progress.throughputPerSec)} />
          <Figure name="p99 now" value={progress.p99Ms > 0 ? msText(progress.p99Ms) : '–'} />
          <Figure
            name={isEndless ? 'for' : 'at'}
            value={clockText(Math.max(0, progress.at), false)}
          />
        </dl>
      )}
      <h3 className={styles.title}>To be kept</h3>
      <ul className={styles.sentences}>
        {Object.entries(targets).map(([name, target]) => (
          <li key={name}>
            {name === 'p999' ? 'p99.9' : name} {/^p\d/.test(name) ? 'at most' : 'at least'}{' '}
            {targetText(name, target)}
          </li>
        ))}
        {invariants.map((name) => (
          <li key={name}>{name}</li>
        ))}
        <li>requests are conserved</li>
      </ul>
      {marks.length > 0 && (
        <>
          <h3 className={styles.title}>So far</h3>
          <ol className={styles.story}>
            {marks.slice(-storyMax).map((mark) => (
              <li key={`${mark.atUs} ${mark.type} ${mark.text}`}>
                <button type="button" className={styles.event} onClick={() => onSeek(mark.atUs)}>
                  <time>{clockText(mark.atUs)}</time>
                  <span className={styles[mark.type]}>{mark.text}</span>
                </button>
              </li>
            ))}
          </ol>
          {marks.length > storyMax && (
            <p className={styles.account}>and {plural(marks.length - storyMax, 'event')} before</p>
          )}
        </>
      )}
    </section>
  );
}

function Figure({ name, value }: { readonly name: string; readonly value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

function titleOf(run: RunState, isOutOfReach: boolean): string {
  if (run.state === 'stopped') return 'Stopped';
  if (run.state === 'failed') return 'Failed';
  if (isOutOfReach) return 'Contact lost';
  if (run.layout?.forUs === null) return 'Live';
  const whole = lengthUs(run);
  const at = run.progress?.at ?? 0;
  const percent = whole > 0 ? Math.floor(Math.max(0, Math.min(1, at / whole)) * 100) : 0;
  return `${run.state === 'paused' ? 'Paused at' : 'Running,'} ${percent}\u202f%`;
}

function targetText(name: string, target: string | number): string {
  if (name === 'availability') return `${Number((Number(target) * 100).toPrecision(8))}\u202f%`;
  return typeof target === 'number' ? `${countText(target)}/s` : target;
}
