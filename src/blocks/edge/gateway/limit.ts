/** One token bucket a key, bounded in number. */
import type { Micros } from '../../../host/host.ts';
import { TokenBucket, type Verdict } from '../../../parts/token-bucket.ts';
import type { LimitConfig } from './config.ts';

export class KeyedLimit {
  readonly #config: LimitConfig;
  readonly #buckets = new Map<string, TokenBucket>();

  constructor(config: LimitConfig) {
    this.#config = config;
  }

  take(key: string, now: Micros): Verdict {
    let bucket = this.#buckets.get(key);
    if (!bucket) {
      if (this.#buckets.size >= this.#config.keysMax) this.#forget(now);
      bucket = new TokenBucket(this.#config, now);
      this.#buckets.set(key, bucket);
    }
    return bucket.take(now);
  }

  /** Drops every bucket that is full, since a new one would be the same; else the oldest tenth. */
  #forget(now: Micros): void {
    for (const [key, bucket] of this.#buckets) if (bucket.isFull(now)) this.#buckets.delete(key);
    let surplus = this.#buckets.size - Math.floor(this.#config.keysMax * 0.9);
    for (const key of this.#buckets.keys()) {
      if (surplus-- <= 0) break;
      this.#buckets.delete(key);
    }
  }
}
