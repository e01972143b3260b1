/**
 * Faults inside the pipeline, for drills: a share of the calls is answered with an error in the service's place,
 * or reaches it late. They begin behind breakers, retries and timeouts, so that those meet them as they would
 * the real thing.
 */
import type { ChaosRule } from '../host/fault.ts';
import type { Micros } from '../host/host.ts';
import type { WebReply } from '../host/web.ts';
import type { Random } from '../kit/random.ts';

export class Chaos {
  readonly #rules: readonly ChaosRule[];
  readonly #random: Random;

  constructor(rules: readonly ChaosRule[], random: Random) {
    this.#rules = rules;
    this.#random = random;
  }

  /** What befalls the next attempt: each rule draws for itself. The first that fails it decides the status. */
  next(): { readonly byUs: Micros; readonly status: number | undefined } {
    let byUs = 0;
    let status: number | undefined;
    for (const rule of this.#rules) {
      // Drawn whatever came before, so that one rule more shifts nobody's luck.
      if (!this.#random.chance(rule.ratio)) continue;
      if ('status' in rule) status ??= rule.status;
      else byUs += rule.byUs;
    }
    return { byUs, status };
  }
}

export function injected(id: number, status: number): WebReply {
  const headers = ['content-type', 'text/plain', 'x-fault', 'injected'];
  return { type: 'reply', id, status, headers, body: 'a fault was injected' };
}
