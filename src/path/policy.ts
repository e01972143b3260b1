/**
 * The policy of a path between two blocks, as users write it and as the code reads it. Defaults
 * are those of a caller inside one region whose callee answers in milliseconds.
 */
import type { Micros } from '../host/host.ts';
import {
  choice,
  configure,
  count,
  duration,
  type OptionsOf,
  optional,
  ratio,
} from '../kit/config.ts';
import type { Problem } from '../kit/errors.ts';
import { type Balancing, balancings } from '../parts/balance.ts';

export const pathKnobs = {
  timeout: duration('1s', {
    min: '1ms',
    doc: 'How long a caller waits in all, retries included; passed on, so that nobody works for a caller who has left.',
  }),
  attemptTimeout: optional(
    duration('250ms', {
      min: '1ms',
      doc: 'How long one attempt may take. Without it the timeout is shared evenly between the attempts.',
    }),
  ),
  balance: choice(
    balancings,
    'Which instance takes a call. least-requests adapts to a slow instance by itself; round-robin does not.',
  ),
};

export const retryKnobs = {
  attempts: count(2, {
    min: 1,
    max: 10,
    doc: 'Attempts in all, the first included. Retries go to another instance, and only where repeating is safe: idempotent methods, or a call that certainly did not arrive.',
  }),
  budget: ratio(0.2, {
    doc: 'Retries a caller may add to its traffic: 0.2 is a fifth. It keeps retries from multiplying an overload.',
  }),
  reserve: count(10, {
    min: 1,
    doc: 'Retries that may be made before any were earned, and the most that are saved up.',
  }),
  backoff: duration('10ms', {
    min: '0ms',
    doc: 'Bound of the first wait before a retry; it doubles with each, and the wait is drawn between zero and it (full jitter).',
  }),
  backoffMax: duration('250ms', { min: '0ms', doc: 'Where the doubling stops.' }),
};

/** Both tables, for the block whose option `policy` they are. */
export const policyTables = { policy: pathKnobs, 'policy.retry': retryKnobs };

export interface PathOptions extends OptionsOf<typeof pathKnobs> {
  /** Without it a call is tried once. */
  readonly retry?: OptionsOf<typeof retryKnobs> | undefined;
}

/** Plain data: it stands in the plan. */
export type PathPolicy = {
  readonly timeoutUs: Micros;
  readonly attemptTimeoutUs: Micros;
  readonly balance: Balancing;
  readonly attempts: number;
  readonly budgetRatio: number;
  readonly budgetReserve: number;
  readonly backoffUs: Micros;
  readonly backoffMaxUs: Micros;
};

export function pathPolicy(
  at: string,
  options: PathOptions,
): { readonly policy: PathPolicy; readonly problems: readonly Problem[] } {
  const { retry: retryOptions, ...pathOptions } = options;
  const path = configure(at, pathKnobs, pathOptions);
  const retry = configure(`${at}.retry`, retryKnobs, retryOptions ?? { attempts: 1 });
  const { timeoutUs, attemptTimeoutUs, balance } = path.config;
  const { attempts } = retry.config;
  const problems = [...path.problems, ...retry.problems];
  if (attemptTimeoutUs !== undefined && attemptTimeoutUs > timeoutUs) {
    problems.push({
      at: `${at}.attemptTimeout`,
      what: `must not exceed timeout (${timeoutUs}us), got ${attemptTimeoutUs}us`,
    });
  }
  return {
    policy: {
      timeoutUs,
      attemptTimeoutUs: attemptTimeoutUs ?? Math.max(1, Math.floor(timeoutUs / attempts)),
      balance,
      attempts,
      budgetRatio: retry.config.budget,
      budgetReserve: retry.config.reserve,
      backoffUs: retry.config.backoffUs,
      backoffMaxUs: retry.config.backoffMaxUs,
    },
    problems,
  };
}
