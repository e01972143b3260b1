/**
 * What is balanced between, and what every balancer is: it picks one of several targets for a call.
 * The caller counts what it has open at each and says which one to avoid.
 */
import type { Micros } from '../../host/host.ts';
import type { Random } from '../../kit/random.ts';

export interface Target {
  /** Requests that this caller has in flight there. */
  open: number;
  /** Not asked again before this instant unless all are: it just refused or broke off. */
  avoidUntil: number;
}

/** A target that goes by a name: hashes and cookies outlive lists of targets. */
export interface NamedTarget extends Target {
  readonly id: string;
}

export interface Picker<T extends Target> {
  /**
   * Undefined only when there is no target. `except` is passed over when there is another (a retry
   * goes elsewhere); `key` is what goes to the same place again, where the picker heeds it.
   */
  pick(targets: readonly T[], now: Micros, except?: T, key?: string): T | undefined;
}

export function isUsable(target: Target, now: Micros, except: Target | undefined): boolean {
  return target !== except && target.avoidUntil <= now;
}

export function usableCount(
  targets: readonly Target[],
  now: Micros,
  except: Target | undefined,
): number {
  let count = 0;
  for (let i = 0; i < targets.length; i++) if (isUsable(targets[i]!, now, except)) count++;
  return count;
}

/** The usable target number `rank`, counted from 0; there are more than that. */
export function usableAt<T extends Target>(
  targets: readonly T[],
  now: Micros,
  except: T | undefined,
  rank: number,
): T {
  let left = rank;
  for (let i = 0; ; i++) {
    const target = targets[i]!;
    if (isUsable(target, now, except) && left-- === 0) return target;
  }
}

/** All have just failed. Asking one that may be back beats asking none. */
export function lastResort<T extends Target>(
  targets: readonly T[],
  except: T | undefined,
  random: Random,
): T | undefined {
  if (targets.length <= 1) return targets[0];
  const drawn = random.below(targets.length);
  const target = targets[drawn]!;
  return target === except ? targets[(drawn + 1) % targets.length] : target;
}
