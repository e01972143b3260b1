/**
 * Who of several equals serves, and who only stands by: one is active and says so all the time; when
 * it falls silent the next one takes over.
 *
 *   standby ── nothing heard for `silence` (or the active one says that it leaves) ──▶ active
 *      ▲                                                                                 │
 *      └────── an active one with a higher term, or with this term and a lower rank ◀────┘
 *
 * ```ts
 * import { configure } from 'loadpath/parts/config';
 * import { Standby, standbyKnobs } from 'loadpath/parts/standby';
 *
 * const { config } = configure('pair', standbyKnobs, { silence: '300ms' });
 * const second = new Standby(config, { rank: 1, startsAt: 0 });
 * second.heard({ term: 1, rank: 0, isActive: true, isLeaving: false }, 100_000); // → 'nothing'
 * [second.wants(300_000), second.wants(400_000)]; // → [false, true]
 * second.take(); // → { term: 2, rank: 1, isActive: true, isLeaving: false }
 * ```
 *
 * VRRP (RFC 9568), with terms, so that whoever took over last is known by all and not only by who
 * heard it. Two that cannot hear each other are both active: what they share must bear that, or go by
 * whoever claimed it last. Where it must not happen, a majority has to agree: that is consensus.
 */
import type { Micros } from '../host/host.ts';
import { type ConfigOf, choice, duration } from '../kit/config.ts';

export const standbyKnobs = {
  heartbeat: duration('100ms', {
    min: '1ms',
    doc: 'How often the active one says that it is there. A message to each of the others.',
  }),
  silence: duration('350ms', {
    min: '1ms',
    doc: 'How long nothing is heard of the active one before the next takes over: new connections fail meanwhile. More than three heartbeats, so that two lost messages are nothing; shorter than a pause for garbage, and a pause moves the address.',
  }),
  whenBack: choice(
    ['standby', 'active'],
    'What the first one does when it is back: it stands by, or, once it has been there for `silence`, it takes over again. Each switch cuts connections that are long, so by default there is only one.',
  ),
};

export type StandbyConfig = ConfigOf<typeof standbyKnobs>;

/** What they tell each other. */
export type Beat = {
  readonly term: number;
  /** The lower, the sooner it takes over. */
  readonly rank: number;
  readonly isActive: boolean;
  /** It is about to stop: the next one need not wait. */
  readonly isLeaving: boolean;
};

export class Standby {
  readonly #config: StandbyConfig;
  readonly #rank: number;
  /** From when on it may take over from one that is well. */
  readonly #readyAt: Micros;
  #term = 0;
  #isActive = false;
  #isLeaving = false;
  /** When it takes over, if it hears nothing that changes that. */
  #dueAt: Micros;

  constructor(config: StandbyConfig, { rank, startsAt }: { rank: number; startsAt: Micros }) {
    this.#config = config;
    this.#rank = rank;
    this.#readyAt = startsAt + config.silenceUs;
    this.#dueAt = this.#readyAt + this.#politeUs(rank);
  }

  get isActive(): boolean {
    return this.#isActive;
  }

  get beat(): Beat {
    const [isActive, isLeaving] = [this.#isActive, this.#isLeaving];
    return { term: this.#term, rank: this.#rank, isActive, isLeaving };
  }

  /**
   * `yield`: it was active and is not any more. `insist`: another one believes to be active and is to
   * hear, with all who go by it, who is.
   */
  heard(beat: Beat, now: Micros): 'nothing' | 'yield' | 'insist' {
    if (!beat.isActive || beat.term < this.#term) {
      return beat.isActive && this.#isActive ? 'insist' : 'nothing';
    }
    if (this.#isActive && beat.term === this.#term && beat.rank > this.#rank) return 'insist';
    const wasActive = this.#isActive;
    this.#term = beat.term;
    this.#isActive = false;
    const { silenceUs, whenBack } = this.#config;
    const politeUs = this.#politeUs(beat.rank < this.#rank ? this.#rank - 1 : this.#rank);
    if (beat.isLeaving) this.#dueAt = Math.min(this.#dueAt, now + politeUs);
    else if (whenBack === 'active' && this.#rank < beat.rank) this.#dueAt = this.#readyAt;
    else this.#dueAt = now + silenceUs + politeUs;
    return wasActive ? 'yield' : 'nothing';
  }

  /** Whether it is to take over now. */
  wants(now: Micros): boolean {
    return !this.#isActive && !this.#isLeaving && now >= this.#dueAt;
  }

  take(): Beat {
    this.#term++;
    this.#isActive = true;
    return this.beat;
  }

  /** It stops soon, and wants to be relieved. */
  leave(): Beat {
    this.#isLeaving = true;
    return this.beat;
  }

  /** Those behind the first give way a little, so that one takes over and not all. */
  #politeUs(place: number): Micros {
    return place * this.#config.heartbeatUs;
  }
}
