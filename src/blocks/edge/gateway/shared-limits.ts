/**
 * Limits that several gateways share: counted by a `limiter`, which is asked for each request.
 *
 *   gateway/0 ─take─▶ limiter ◀─take─ gateway/1        one count, wherever the next request goes
 *
 * It comes after the limits that this gateway counts itself: what they refuse costs no message. Several are asked one
 * after the other, and what one has given stays taken when the next refuses: rates that belong together are one
 * limiter's. Where no limiter answers, its `whenUnreachable` does, and the reply says nothing of what is left.
 */
import type { LimitAnswer, LimitsApi } from '../../../host/limits.ts';
import type { Atlas } from '../../../parts/networks.ts';
import type { SharedLimitConfig } from './config.ts';
import { keyOf, told } from './limit-key.ts';
import { type Parts, plain, type Resume, type Stage, secondsOf, type Visit } from './visit.ts';

interface SharedLimit {
  readonly config: SharedLimitConfig;
  readonly api: LimitsApi;
}

type Done = (refusal: Parts | undefined) => void;

export class SharedLimits implements Stage {
  readonly #limits: readonly SharedLimit[];
  readonly #atlas: Atlas;

  constructor(limits: readonly SharedLimit[], atlas: Atlas) {
    this.#limits = limits;
    this.#atlas = atlas;
  }

  enter(visit: Visit, resume: Resume): Parts | 'held' | undefined {
    let atOnce: Parts | 'held' | undefined = 'held';
    let isWithin = true;
    this.#take(0, visit, (refusal) => {
      if (isWithin) atOnce = refusal;
      else resume(visit, refusal);
    });
    isWithin = false;
    return atOnce;
  }

  leave(visit: Visit, reply: Parts | undefined): Parts | undefined {
    return told(visit, reply);
  }

  #take(index: number, visit: Visit, done: Done): void {
    const limit = this.#limits[index];
    if (!limit || visit.isGone) return done(undefined);
    const { config, api } = limit;
    const key = keyOf(config, visit, this.#atlas);
    if (key === undefined) return this.#take(index + 1, visit, done);
    const { timeoutUs } = visit.request;
    const deadlineAt = timeoutUs === undefined ? undefined : visit.startedAt + timeoutUs;
    // Under the name of the limit: two that ask one limiter count apart.
    api.take(`${config.name} ${key}`, config.cost, deadlineAt, (answer) => {
      note(config, visit, answer);
      if (answer.allowed) return this.#take(index + 1, visit, done);
      const { retryAfterUs } = answer;
      const isHopeless = retryAfterUs === Number.POSITIVE_INFINITY;
      done(plain(429, 'slow down', isHopeless ? [] : ['retry-after', secondsOf(retryAfterUs)]));
    });
  }
}

function note({ name, rate, tell }: SharedLimitConfig, visit: Visit, answer: LimitAnswer): void {
  const { allowed, by, remaining, retryAfterUs } = answer;
  if (by === 'policy' || (tell === 'refused' && allowed)) return;
  const label = `"${name.replace(/["\\]/g, '\\$&')}"`;
  const before = visit.limitRules === '' ? '' : ', ';
  const isSoon = !allowed && retryAfterUs !== Number.POSITIVE_INFINITY;
  const wait = isSoon ? `;t=${secondsOf(retryAfterUs)}` : '';
  visit.limitRules += `${before}${label};q=${rate.count};w=${secondsOf(rate.periodUs)}`;
  visit.limitStates += `${before}${label};r=${remaining}${wait}`;
}
