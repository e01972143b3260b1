/** Where the shown run stands, in two words; opens the verdict. */
import { Icon } from '../parts/Icon.tsx';
import { lengthUs, type RunState } from '../state/run.ts';
import { headlineOf } from '../verdicts/verdict.ts';
import { useActions, useShownRun } from './studio.ts';
import styles from './VerdictPill.module.css';

const icons = { holds: 'check', violated: 'cross', unknown: 'question', none: 'clock' } as const;

export function VerdictPill() {
  const actions = useActions();
  const run = useShownRun();
  if (!run) return null;
  const { standing, text, share } = standingOf(run);
  return (
    <button
      type="button"
      className={`${styles.pill} ${styles[standing] ?? ''}`}
      // A background is painted anew, and nothing is laid out or composed for it.
      style={share === null ? undefined : { backgroundSize: `${share * 100}% 100%` }}
      data-tip="Show the verdict"
      onClick={() => actions.setPanel('verdict')}
    >
      <span className={styles.text} role="status">
        <Icon name={icons[standing]} size={14} />
        {text}
      </span>
    </button>
  );
}

type Pill = {
  readonly standing: keyof typeof icons;
  readonly text: string;
  readonly share: number | null;
};

function standingOf(run: RunState): Pill {
  if (run.report) {
    const { standing, word, short } = headlineOf(run.report);
    const stopped = run.state === 'stopped' ? 'Stopped · ' : '';
    return { standing, text: `${stopped}${word} ${short}`, share: null };
  }
  if (run.state === 'failed') return { standing: 'violated', text: 'Run failed', share: null };
  if (run.state === 'stopped') return { standing: 'none', text: 'Stopped', share: null };
  const whole = run.layout?.forUs === null ? 0 : lengthUs(run);
  const doneUs = run.progress?.at ?? 0;
  const share = whole > 0 ? Math.max(0, Math.min(1, doneUs / whole)) : null;
  const percent = share === null ? '' : ` ${Math.floor(share * 100)}\u202f%`;
  const word = run.state === 'paused' ? 'Paused' : run.layout?.forUs === null ? 'Live' : 'Running';
  return { standing: 'none', text: `${word}${percent}`, share };
}
