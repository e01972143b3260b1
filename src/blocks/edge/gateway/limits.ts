/**
 * The limits of a gateway and its routes as two stages: what is known of an address is limited
 * before anybody is authenticated, what is known of an identity after it.
 *
 * The limits of a stage hold jointly: all are asked before any is charged, so what one refuses costs
 * nothing at the others. What the first stage admitted stays charged when the second refuses: a
 * limit by address counts attempts, or guessing keys would be free.
 */
import type { ProgramCode } from '../../../host/declaration.ts';
import type { Host, Micros } from '../../../host/host.ts';
import type { LimitsApi } from '../../../host/limits.ts';
import { assert } from '../../../kit/assert.ts';
import { ConcurrencyLimiter } from '../../../parts/limit/concurrency.ts';
import { limiterOf } from '../../../parts/limit/config.ts';
import { rateLimitLabel, rateLimitRule, rateLimitState } from '../../../parts/limit/fields.ts';
import { KeySlots } from '../../../parts/limit/keyed.ts';
import { LeakyQueue } from '../../../parts/limit/leaky-queue.ts';
import type { Limiter } from '../../../parts/limit/limiter.ts';
import { Atlas } from '../../../parts/networks.ts';
import type { LimitConfig, LocationConfig, SharedLimitConfig } from './config.ts';
import { keyOf, told } from './limit-key.ts';
import { SharedLimits } from './shared-limits.ts';
import { type Parts, plain, type Resume, type Stage, secondsOf, type Visit } from './visit.ts';

type Held = { readonly config: LimitConfig } & (
  | {
      readonly type: 'rate';
      readonly limiter: Limiter;
      readonly slots: KeySlots;
      /** As replies name it, and what they say of it each time. */
      readonly label: string;
      readonly rule: string;
    }
  | { readonly type: 'queue'; readonly queue: LeakyQueue; readonly slots: KeySlots }
  | { readonly type: 'open'; readonly open: ConcurrencyLimiter }
);

/** How soon to come back when the number of open requests is the limit: nobody knows. */
const openRetryUs = 1_000_000;

export class Limits {
  readonly #host: Host;
  readonly #atlas: Atlas;
  /** By the config itself: what routes share is counted together. */
  readonly #held = new Map<LimitConfig, Held>();
  readonly #open: ProgramCode['open'];

  constructor(host: Host, locations: readonly LocationConfig[], open: ProgramCode['open']) {
    this.#host = host;
    this.#atlas = new Atlas(locations);
    this.#open = open;
  }

  /** What is limited before anybody is known, and after. */
  stages(limits: readonly LimitConfig[]): Places {
    return {
      byAddress: this.#stage(limits.filter((limit) => !isLate(limit))),
      byIdentity: this.#stage(limits.filter(isLate)),
    };
  }

  /** The same for those that a limiter counts. */
  sharedStages(limits: readonly SharedLimitConfig[]): Places {
    return {
      byAddress: this.#shared(limits.filter((limit) => !isLate(limit))),
      byIdentity: this.#shared(limits.filter(isLate)),
    };
  }

  #shared(limits: readonly SharedLimitConfig[]): Stage | undefined {
    if (limits.length === 0) return undefined;
    const asked = limits.map((config) => {
      const api = this.#open.get(config.limiter)?.api as LimitsApi | undefined;
      assert(api, `the half of ${config.limiter} that asks is open beside the gateway`);
      return { config, api };
    });
    return new SharedLimits(asked, this.#atlas);
  }

  #stage(limits: readonly LimitConfig[]): Stage | undefined {
    if (limits.length === 0) return undefined;
    const held = limits.map((config) => {
      let one = this.#held.get(config);
      if (!one) {
        one = make(config);
        this.#held.set(config, one);
      }
      return one;
    });
    return new LimitStage(this.#host, held, this.#atlas);
  }
}

/** Undefined: nothing. */
interface Places {
  readonly byAddress: Stage | undefined;
  readonly byIdentity: Stage | undefined;
}

function isLate({ by, tier }: { readonly by: string; readonly tier: string }): boolean {
  return by === 'user' || tier !== '';
}

function make(config: LimitConfig): Held {
  const { algorithm, rate, burst, parts, queueMax, openMax, keysMax, over } = config;
  if (algorithm === 'concurrency') {
    const open = new ConcurrencyLimiter({
      openMax: Number.MAX_SAFE_INTEGER,
      openPerKeyMax: openMax,
      keysMax,
    });
    return { type: 'open', config, open };
  }
  if (algorithm === 'leaky-queue' || over === 'delay') {
    // The bucket of the books lets one out at a time; a shaper lets its burst pass first.
    const queue = new LeakyQueue({
      rate,
      queueMax,
      burst: algorithm === 'leaky-queue' ? 1 : burst,
    });
    return { type: 'queue', config, queue, slots: new KeySlots(queue, { keysMax }) };
  }
  const limiter = limiterOf({ algorithm, rate, burst, parts });
  const label = rateLimitLabel(config.name);
  const rule = rateLimitRule(label, limiter);
  return { type: 'rate', config, limiter, slots: new KeySlots(limiter, { keysMax }), label, rule };
}

class LimitStage implements Stage {
  readonly #host: Host;
  readonly #held: readonly Held[];
  readonly #atlas: Atlas;
  /** For each limit the slot of the caller that is looked at, or -1; used within one call. */
  readonly #slots: number[] = [];
  readonly #counts: boolean;

  constructor(host: Host, held: readonly Held[], atlas: Atlas) {
    this.#host = host;
    this.#held = held;
    this.#atlas = atlas;
    this.#counts = held.some(({ type }) => type === 'open');
  }

  enter(visit: Visit, resume: Resume): Parts | 'held' | undefined {
    const now = this.#host.now();
    let waitUs = 0;
    let delayUs = 0;
    for (let i = 0; i < this.#held.length; i++) {
      const held = this.#held[i]!;
      this.#slots[i] = -1;
      const key = keyOf(held.config, visit, this.#atlas);
      if (key === undefined || held.type === 'open') continue;
      const slot = held.slots.of(key);
      this.#slots[i] = slot;
      if (held.type === 'rate') {
        waitUs = Math.max(waitUs, held.limiter.waitUs(now, held.config.cost, slot));
      } else {
        const ownUs = held.queue.delayUs(now, slot);
        if (ownUs === Number.POSITIVE_INFINITY) {
          waitUs = Math.max(waitUs, held.queue.roomUs(now, slot));
        } else delayUs = Math.max(delayUs, ownUs);
      }
    }
    const { timeoutUs } = visit.request;
    // Nobody waits that long: refused now, it can do something else meanwhile.
    if (timeoutUs !== undefined && delayUs >= timeoutUs) waitUs = Math.max(waitUs, delayUs);
    if (waitUs === 0 && this.#counts && !this.#open(visit)) waitUs = openRetryUs;
    if (waitUs > 0) {
      const fields = this.#tell(visit, now, waitUs);
      return plain(429, 'slow down', fields);
    }
    for (let i = 0; i < this.#held.length; i++) {
      const held = this.#held[i]!;
      const slot = this.#slots[i]!;
      if (slot < 0) continue;
      if (held.type === 'rate') held.limiter.spend(now, held.config.cost, slot);
      else if (held.type === 'queue') held.queue.enter(now, slot);
    }
    this.#note(visit, now, 0);
    if (delayUs === 0) return undefined;
    const timer = this.#host.after(delayUs, () => resume(visit));
    visit.giveUp = () => timer.cancel();
    return 'held';
  }

  leave(visit: Visit, reply: Parts | undefined): Parts | undefined {
    if (this.#counts) this.#close(visit);
    return told(visit, reply);
  }

  /** A place at each, or at none. */
  #open(visit: Visit): boolean {
    for (const held of this.#held) {
      if (held.type !== 'open') continue;
      const key = keyOf(held.config, visit, this.#atlas);
      if (key === undefined) continue;
      if (!held.open.enter(key)) {
        this.#close(visit);
        return false;
      }
      visit.places.push({ by: this, of: held.open, key });
    }
    return true;
  }

  #close(visit: Visit): void {
    // Stages are left last first, so what this one took is at the end.
    for (let last = visit.places.at(-1); last?.by === this; last = visit.places.at(-1)) {
      last.of.leave(last.key);
      visit.places.pop();
    }
  }

  /** For a refusal, which says it at once. */
  #tell(visit: Visit, now: Micros, waitUs: Micros): readonly string[] {
    this.#note(visit, now, waitUs);
    return ['retry-after', secondsOf(waitUs)];
  }

  /** Now, since the slot of this caller may be another's by the time of the reply. */
  #note(visit: Visit, now: Micros, waitUs: Micros): void {
    for (let i = 0; i < this.#held.length; i++) {
      const held = this.#held[i]!;
      const slot = this.#slots[i]!;
      if (held.type !== 'rate' || slot < 0) continue;
      if (held.config.tell === 'refused' && waitUs === 0) continue;
      const state = rateLimitState(held.label, held.limiter, slot, now, waitUs);
      const comma = visit.limitRules === '' ? '' : ', ';
      visit.limitRules += comma + held.rule;
      visit.limitStates += comma + state;
    }
  }
}
