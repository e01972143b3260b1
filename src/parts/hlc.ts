/**
 * Hybrid logical clock (Kulkarni et al. 2014): timestamps that stay close to the wall clock and yet
 * grow along every chain of messages, so that an effect is never stamped before its cause even when
 * the clocks disagree. What it cannot do is order two writes whose writers never heard of each
 * other: then the faster clock wins.
 *
 * Use a plain counter where one node decides, and a quorum's highest number plus one where the
 * order must be the real one (`kv` with `consistency: 'atomic'`).
 */
import type { Micros } from '../host/host.ts';

/** A version as data. Ordered by `at`, then `count`, then `by`. */
export type Version = {
  /** A hybrid clock: microseconds since 1970. A register's counter: a plain number. */
  readonly at: number;
  /** Tells versions with the same `at` apart. */
  readonly count: number;
  /** Who made it: unique for each life of each writer, so that no two versions are ever equal. */
  readonly by: string;
};

/** Below, equal to or above 0, as in sorting. */
export function compareVersions(a: Version, b: Version): number {
  // In one process replicas share what they were sent, and then nothing of it need be looked at.
  if (a === b) return 0;
  if (a.at !== b.at) return a.at - b.at;
  if (a.count !== b.count) return a.count - b.count;
  return a.by === b.by ? 0 : a.by < b.by ? -1 : 1;
}

/** True when `a` is newer than `b`; anything is newer than nothing. */
export function isNewer(a: Version, b: Version | undefined): boolean {
  return b === undefined || compareVersions(a, b) > 0;
}

export class HybridClock {
  readonly #by: string;
  #at: Micros = 0;
  #count = 0;

  /** `by` must differ between lives of a node: a clock that went back may repeat itself after a restart. */
  constructor(by: string) {
    this.#by = by;
  }

  /** A version above everything made or observed here. */
  next(wall: Micros): Version {
    if (wall > this.#at) {
      this.#at = wall;
      this.#count = 0;
    } else {
      this.#count++;
    }
    return { at: this.#at, count: this.#count, by: this.#by };
  }

  /** Heard of `version`: what follows is stamped above it. */
  observe(version: Version): void {
    if (version.at > this.#at) {
      this.#at = version.at;
      this.#count = version.count;
    } else if (version.at === this.#at && version.count > this.#count) {
      this.#count = version.count;
    }
  }
}
