/** Where a run stands, in two or three words. */
import { isGoing, lengthUs, type RunState, seedsOf } from '../state/run.ts';
import { headlineOf, type Standing as Judged } from './verdict.ts';

export type Standing = Judged | 'lost' | 'none';

export interface Pill {
  readonly standing: Standing;
  readonly text: string;
  /** How much of it is done; null where that says nothing. */
  readonly share: number | null;
}

/** `isOutOfReach`: whether the server is missed, so that nobody knows how a run goes on. */
export function pillOf(run: RunState, isOutOfReach: boolean): Pill {
  if (isGoing(run)) return isOutOfReach ? lostAt(run) : goingPill(run);
  if (run.report) {
    const { standing, word, short } = headlineOf(run.report);
    const stopped = run.state === 'stopped' ? 'Stopped · ' : '';
    return { standing, text: `${stopped}${word} ${short}`, share: null };
  }
  if (run.state === 'failed') return { standing: 'violated', text: 'Run failed', share: null };
  return { standing: 'none', text: 'Stopped', share: null };
}

function lostAt(run: RunState): Pill {
  const { share } = goingPill(run);
  const at = share === null ? '' : ` at ${percentText(share)}`;
  return { standing: 'lost', text: `Contact lost${at}`, share: null };
}

function goingPill(run: RunState): Pill {
  const seeds = seedsOf(run);
  if (run.report && seeds.count > 1) {
    const text = `${seeds.done} of ${seeds.count} seeds`;
    return { standing: 'none', text, share: seeds.done / seeds.count };
  }
  const isEndless = run.layout?.forUs === null;
  const whole = isEndless ? 0 : lengthUs(run);
  const doneUs = run.progress?.at ?? 0;
  const share = whole > 0 ? Math.max(0, Math.min(1, doneUs / whole)) : null;
  const percent = share === null ? '' : ` ${percentText(share)}`;
  const word = run.state === 'paused' ? 'Paused' : isEndless ? 'Live' : 'Running';
  return { standing: 'none', text: `${word}${percent}`, share };
}

function percentText(share: number): string {
  return `${Math.floor(share * 100)}\u202f%`;
}
