/**
 * One operation under way at its coordinator: what it is, how far it has come, and what follows
 * from that. Nothing in here sends or waits.
 *
 *   ask ──▶ store ──▶ settled        a get may end without storing, a quorum's put begins with it
 */
import type { RequestContext } from '../../../host/declaration.ts';
import type { Address, Micros, NodeId, Value } from '../../../host/host.ts';
import type { Entry } from './messages.ts';
import { Reading, Tally } from './register.ts';

export type Outcome =
  /** `value` is undefined when there is none. Nobody else holds it. */
  | { readonly ok: true; readonly value: Value | undefined }
  | { readonly ok: false; readonly why: string; readonly certain: boolean };

export type Verb = 'get' | 'put' | 'delete';

/** What `handle.ts` wraps in promises. */
export interface KvApi {
  /** `value` is in the codec's bytes, null for everything but a put. */
  start(
    f: Verb,
    key: string,
    value: Uint8Array | null,
    context: RequestContext,
    done: (outcome: Outcome) => void,
  ): void;
}

export interface Begun {
  readonly id: number;
  readonly f: Verb;
  readonly key: string;
  /** Of a put, or null. */
  readonly value: Uint8Array | null;
  readonly owners: readonly Address[];
  readonly startedAt: Micros;
  readonly endsAt: Micros;
  readonly session: string | undefined;
  readonly done: (outcome: Outcome) => void;
}

export class Operation implements Begun {
  readonly id: number;
  readonly f: Verb;
  readonly key: string;
  readonly value: Uint8Array | null;
  readonly owners: readonly Address[];
  readonly startedAt: Micros;
  readonly endsAt: Micros;
  readonly session: string | undefined;
  readonly done: (outcome: Outcome) => void;
  /** When the present phase began: each has its own resends, in what time there is left. */
  phaseAt: Micros;
  /** Its next tick. */
  until: Micros;
  phase: 'ask' | 'store' | 'settled' = 'ask';
  /** What is being stored, or was read: set when the store phase begins or a get settles. */
  entry: Entry | null = null;
  /** When `sloppy`: owners whose copy a stand-in keeps, by bit. */
  kept = 0;
  /** Position in the walk of the next stand-in to ask. */
  standIn: number;
  /** Owners that certainly do not answer this phase, by bit. */
  failed = 0;
  /** Owners that a hint was asked for, by bit. */
  hinted = 0;
  /** A stand-in was asked before the end: it may keep a copy of what then fails. */
  doubted = false;
  /** Resends of this phase so far. */
  attempt = 0;
  /** Every store sent and every one certainly not done, a bit for each owner and attempt. */
  sent = 0;
  denied = 0;
  /** Why a replica said no, the last time that one did. */
  refusal: string | undefined = undefined;
  /** A replica has something newer than what is to be written. */
  isSuperseded = false;
  /** What ticks in its name, in a traced run. */
  ticks: (() => void) | undefined = undefined;
  readonly #once: boolean;
  /** Made when first looked at: most operations have one phase and need one of the two. */
  #reading: Reading | undefined = undefined;
  #stored: Tally | undefined = undefined;

  /** `once` is false in a planted bug only. */
  constructor(begun: Begun, once: boolean) {
    this.id = begun.id;
    this.f = begun.f;
    this.key = begun.key;
    this.value = begun.value;
    this.owners = begun.owners;
    this.startedAt = begun.startedAt;
    this.endsAt = begun.endsAt;
    this.session = begun.session;
    this.done = begun.done;
    this.phaseAt = begun.startedAt;
    this.until = begun.endsAt;
    this.standIn = begun.owners.length;
    this.#once = once;
  }

  /** What the owners said when they were asked. */
  get reading(): Reading {
    this.#reading ??= new Reading(this.#once);
    return this.#reading;
  }

  /** The owners that have `entry`, durably. */
  get stored(): Tally {
    this.#stored ??= new Tally(this.#once);
    return this.#stored;
  }

  set stored(holders: Tally) {
    this.#stored = holders;
  }

  /** Of the owner on `node`; -1: it is none. */
  indexOf(node: NodeId): number {
    const { owners } = this;
    for (let i = 0; i < owners.length; i++) if (owners[i]!.node === node) return i;
    return -1;
  }
}

/** A first try and two resends. Each has a bit in `sent`: nine owners times three fit a word. */
export const attemptsMax = 3;

/** Who gave the answer that the present phase, or the last one, is about. */
export function answeredBy(op: Operation): Tally {
  return op.phase === 'ask' ? op.reading.heard : op.stored;
}

/** Answers of this phase, with those that may still come. */
export function possibleCount(op: Operation): number {
  const answered = answeredBy(op);
  let count = answered.count;
  for (let i = 0; i < op.owners.length; i++) {
    if (!answered.has(i) && (op.failed & (1 << i)) === 0) count++;
  }
  return count;
}

/**
 * Owners that have it or will be given it. One that stored it after all, when a stand-in already
 * kept it for that very owner, is still one: later there will be one copy of the two.
 */
export function copies(op: Operation): number {
  let count = op.stored.count;
  for (let i = 0; op.kept >> i !== 0; i++) {
    if ((op.kept & (1 << i)) !== 0 && !op.stored.has(i)) count++;
  }
  return count;
}

/** True when a failed operation certainly left nothing behind, now or later. */
export function changedNothing(op: Operation): boolean {
  // A read changes nothing: what it writes back was written by somebody else.
  if (op.f === 'get') return true;
  return (op.sent & ~op.denied) === 0 && !op.doubted;
}

/** The bit of one store message, to one owner. */
export function storeBit(index: number, attempt: number): number {
  return 1 << (index * attemptsMax + attempt);
}
