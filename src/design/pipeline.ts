/**
 * The stages of a path in the order in which a call meets them, one sentence each: what `explain` prints
 * and Studio shows. Only those that are there.
 */
import { formatBytes, formatDuration, formatRate } from '../kit/units.ts';
import type { PathPolicy } from '../path/policy.ts';

/** Those that a view has no field of its own for: all but deadline, retry and attempt timeout. */
export function stagesOfPolicy(policy: PathPolicy): {
  readonly before: readonly string[];
  readonly around: readonly string[];
  readonly within: readonly string[];
} {
  return {
    before: fallbackOf(policy),
    around: bulkheadOf(policy),
    within: [...repeatsOf(policy), ...balanceOf(policy), ...guardsOf(policy)],
  };
}

function fallbackOf({ fallback }: PathPolicy): string[] {
  if (!fallback) return [];
  const { staleMaxUs, keysMax, bodyMaxBytes, service } = fallback;
  const ways = [
    staleMaxUs > 0 &&
      `the last good answer to a GET, up to ${formatDuration(staleMaxUs)} old (${keysMax} kept, of at most ${formatBytes(bodyMaxBytes)})`,
    service !== undefined && `${service} in its place`,
  ].filter((way) => way !== false);
  return ways.length === 0 ? [] : [`fallback: ${ways.join(', then ')}`];
}

function bulkheadOf({ bulkhead }: PathPolicy): string[] {
  if (!bulkhead) return [];
  const { slots, queueMax } = bulkhead;
  return [`bulkhead: ${slots} calls at once, ${queueMax} waiting, the rest refused`];
}

function repeatsOf({ attempts, backoffUs, backoffMaxUs, hedge }: PathPolicy): string[] {
  const stages: string[] = [];
  if (attempts > 1) {
    stages.push(
      `backoff: up to ${formatDuration(backoffUs)}, doubling to ${formatDuration(backoffMaxUs)}, with full jitter`,
    );
  }
  if (hedge) {
    stages.push(
      `hedge: a second attempt elsewhere after the ${hedge.percentile}th percentile, at most ${percent(hedge.budget)} of calls`,
    );
  }
  return stages;
}

function balanceOf(policy: PathPolicy): string[] {
  const { balance, hash, latency, zones, sticky, slowStart, split, shadow } = policy;
  const details = [
    hash && `by ${hash.key}`,
    latency && `${latency.by} over ${formatDuration(latency.decayUs)}`,
    split && `split by ${split.by}${split.pin ? `, pinned by ${split.pin}` : ''}`,
    shadow && `${percent(shadow.share)} copied to ${shadow.release}`,
    sticky && `sticky by ${sticky.by}`,
    zones && `within zones from ${zones.targetsMin} instances on`,
    slowStart && `slow start over ${formatDuration(slowStart.warmupUs)}`,
  ].filter((detail) => detail !== undefined);
  return [`balance: ${[balance, ...details].join(', ')}`];
}

function guardsOf({ breaker, outliers, health, pace }: PathPolicy): string[] {
  const stages: string[] = [];
  if (pace) {
    stages.push(
      `pace: each caller sends an instance at most ${formatRate(pace.rate)}, ${pace.burst} at once; the others take the rest, or it is refused`,
    );
  }
  if (health) {
    stages.push(
      `health checks: ${health.path ?? 'OPTIONS *'} every ${formatDuration(health.intervalUs)}, out after ${health.fall} bad, back after ${health.rise} good`,
    );
  }
  if (outliers) {
    stages.push(
      `outliers: out for ${formatDuration(outliers.ejectForUs)} after ${outliers.consecutive} failures in a row or far below the others, at most ${percent(outliers.ejectedMax)} of them`,
    );
  }
  if (breaker) {
    const signs = [
      `${percent(breaker.failureRatio)} of ${breaker.volumeMin} calls or more in ${formatDuration(breaker.windowUs)} failed`,
      breaker.consecutive === undefined ? [] : `${breaker.consecutive} failed in a row`,
      breaker.slowCallUs === undefined
        ? []
        : `${percent(breaker.slowRatio)} took ${formatDuration(breaker.slowCallUs)}`,
    ].flat();
    stages.push(
      `breaker: one ${breaker.per === 'instance' ? 'an instance' : 'for all'}, opens when ${signs.join(', or ')}; after ${formatDuration(breaker.openForUs)} ${breaker.trials === 1 ? 'a trial' : `${breaker.trials} trials`}`,
    );
  }
  return stages;
}

function percent(ratio: number): string {
  return `${Number((ratio * 100).toPrecision(3))}%`;
}
