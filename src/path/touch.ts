/**
 * A cache's side of purges: it asks the log for what is new, applies it, and knows whether it may serve.
 *
 *   poll ──▶ news: apply ──▶ serve, until a lease after the poll was sent
 *
 * From when the poll was sent, not from when the news came: the log counts from in between, so its
 * lease never ends before ours.
 */
import type { Address, Host, Micros } from '../host/host.ts';
import type { Purge } from '../parts/http-cache.ts';
import { type PurgeMessage, type PurgesPlan, purgesPort } from './purges.ts';

/** Polls a lease: two may be lost before it is out of touch. */
const pollsPerLease = 4;

export class Touch {
  readonly #host: Host;
  readonly #log: Address;
  readonly #leaseUs: Micros;
  readonly #step: number;
  readonly #apply: (purge: Purge) => void;
  /** -1: empty, and nothing is known. */
  #version = -1;
  #mayServeUntil = Number.NEGATIVE_INFINITY;
  #poll: { readonly id: number; readonly sentAt: Micros } | undefined;
  #nextId: number;

  constructor(host: Host, { log, leaseUs, step }: PurgesPlan, apply: (purge: Purge) => void) {
    this.#host = host;
    this.#step = step;
    this.#log = { node: log, port: purgesPort };
    this.#leaseUs = leaseUs;
    this.#apply = apply;
    this.#nextId = host.life * 2 ** 32;
    this.#ask();
    this.#again();
  }

  get isIn(): boolean {
    return this.#host.now() < this.#mayServeUntil;
  }

  news(news: PurgeMessage & { readonly type: 'news' }): void {
    // One that overtook another says nothing new, and one that was missed comes with the next.
    if (news.all) this.#apply({ by: 'all' });
    for (const purge of news.purges) this.#apply(purge);
    this.#version = Math.max(this.#version, news.version);
    if (this.#poll?.id === news.id) {
      this.#mayServeUntil = this.#poll.sentAt + this.#leaseUs;
      this.#poll = undefined;
    }
    // Somebody waits for this purge: say at once that it is done.
    if (news.all || news.purges.length > 0) this.#ask();
  }

  #ask(): void {
    const id = this.#nextId++;
    this.#poll = { id, sentAt: this.#host.now() };
    const version = this.#version;
    this.#host.send(this.#log, {
      type: 'poll',
      id,
      version,
      step: this.#step,
    } satisfies PurgeMessage);
  }

  #again(): void {
    this.#host.after(Math.floor(this.#leaseUs / pollsPerLease), () => {
      this.#ask();
      this.#again();
    });
  }
}
