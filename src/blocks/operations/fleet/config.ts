/** The knobs of a fleet, and what its program reads. */
import { type ConfigOf, choice, count, duration, optional, ratio } from '../../../kit/config.ts';
import type { Problem } from '../../../kit/errors.ts';
import type { ScaleConfig } from '../../../parts/autoscale.ts';
import type { HealthConfig } from '../../../parts/health.ts';

export const knobs = {
  min: count(1, { min: 1, max: 1_000, doc: 'Instances at the least.' }),
  max: count(10, {
    min: 1,
    max: 1_000,
    doc: 'Instances at the most: what the stores behind can bear, and the purse.',
  }),
  every: duration('5s', {
    min: '100ms',
    doc: 'How often it looks whether their number is right. Figures are of the time between two looks.',
  }),
  startDelay: duration('2s', {
    min: '0s',
    doc: 'From the order to the start of an instance: about two seconds for a container whose image is there, 90 s for a virtual machine.',
  }),
  startMax: duration('30s', {
    min: '100ms',
    doc: 'How long a new instance may take until its first good answer. Then it counts as dead.',
  }),
  heal: choice(
    ['replace', 'restart', 'none'],
    'What becomes of one that is dead or sick. replace: another is started in its place. restart: it is started again, and replaced when that does not help.',
  ),
  restartsMax: count(3, {
    min: 0,
    doc: 'Restarts of one instance within ten minutes, beyond which it is replaced.',
  }),
  backoff: duration('1s', {
    min: '0s',
    doc: 'Wait before a restart, or before replacing what died young; doubled each time, so that a bad release does not start instances without end.',
  }),
  backoffMax: duration('1min', { min: '0s', doc: 'Where the doubling stops.' }),
  errorsMax: optional(
    ratio(0.5, {
      doc: 'Share of failed requests between two probes from which an answer counts as a bad one. Without it only silence is bad: when a store behind fails, all of them would be sick.',
    }),
  ),
};

export type FleetConfig = ConfigOf<typeof knobs> & {
  /** The service whose instances it looks after. */
  readonly of: string;
  readonly instances: number;
  readonly scale: ScaleConfig | null;
  readonly health: HealthConfig;
};

export function relations(name: string, config: FleetConfig): readonly Problem[] {
  const { min, max, instances } = config;
  const problems: Problem[] = [];
  if (min > max)
    problems.push({ at: `${name}.min`, what: `must not exceed max (${max}), got ${min}` });
  else if (instances < min || instances > max) {
    const what = `has ${instances} instances, which is not between min (${min}) and max (${max})`;
    problems.push({ at: `${name}.of`, what });
  }
  return problems;
}
