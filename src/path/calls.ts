/**
 * Questions and answers over `Host.send`: who waits for which reply, until when. It alone owns
 * correlation ids, deadlines and late replies.
 *
 *   const id = calls.open(peer, timeoutUs, (answer) => …)   then   host.send(peer, { type, id, … })
 *   in `message`:       calls.settle(message.id, message)
 *   in `refused`:       calls.refused(message.id)
 *   in `disconnected`:  calls.disconnected(node)
 *   for a `lost`:       calls.lost(message.id), where calls leave as HTTP
 *
 * Every opened call is answered exactly once: by the reply, or by why there is none. And it is
 * counted, by the block that it goes to: see `host/path.ts`.
 */
import type { Address, Host, Micros, NodeId } from '../host/host.ts';
import { blockOfNode, type PathMeter, pathMeter } from '../host/path.ts';
import { Deadlines } from '../parts/deadlines.ts';
import { IdMap } from '../parts/id-map.ts';

/**
 * `certain` means that the operation did not and will not happen. A timeout or a broken
 * connection is never certain: the other side may have acted, or act yet.
 */
export type Answer<R> =
  | { readonly ok: true; readonly reply: R }
  | {
      readonly ok: false;
      readonly why: 'timeout' | 'refused' | 'reset';
      readonly certain: boolean;
    };

export interface CallsOptions<R> {
  /** Replies that count as failures of the path, such as a status of 500. Default: none. */
  readonly failed?: (reply: R) => boolean;
  /** False for calls within a block, or when somebody else counts what the block's callers see. */
  readonly counted?: boolean;
}

interface Waiting<R> {
  readonly node: NodeId;
  readonly path: PathMeter | undefined;
  readonly openedAt: Micros;
  readonly until: Micros;
  readonly done: (answer: Answer<R>) => void;
}

const timedOut = { ok: false, why: 'timeout', certain: false } as const;
const wasRefused = { ok: false, why: 'refused', certain: true } as const;
const wasReset = { ok: false, why: 'reset', certain: false } as const;

export class Calls<R> {
  readonly #host: Host;
  readonly #failed: ((reply: R) => boolean) | undefined;
  readonly #counted: boolean;
  readonly #waiting = new IdMap<Waiting<R>>();
  readonly #deadlines: Deadlines;
  /** By node, so that a call costs one look-up and no text is made of it. */
  readonly #paths = new Map<NodeId, PathMeter>();
  #nextId: number;
  /** Replies that came after their call was given up, and duplicates. */
  lateCount = 0;

  constructor(host: Host, { failed, counted = true }: CallsOptions<R> = {}) {
    this.#host = host;
    this.#failed = failed;
    this.#counted = counted;
    this.#deadlines = new Deadlines(host, {
      waiting: this.#waiting,
      due: (id) => this.#finish(id, timedOut),
    });
    // A node that restarts must not take replies to its former life for its own.
    this.#nextId = host.life * 2 ** 32;
  }

  get size(): number {
    return this.#waiting.size;
  }

  /** An id that is not waited for: one-way messages, history entries. */
  next(): number {
    return this.#nextId++;
  }

  /** Starts waiting and returns the id to send along. Not `counted`: a probe, which is no call of anybody. */
  open(
    to: Address,
    timeoutUs: Micros,
    done: (answer: Answer<R>) => void,
    counted = this.#counted,
  ): number {
    const id = this.#nextId++;
    const { node } = to;
    const path = counted ? (this.#paths.get(node) ?? this.#pathTo(node)) : undefined;
    path?.calls.add();
    const openedAt = this.#host.now();
    const until = openedAt + Math.ceil(timeoutUs);
    const { causes } = this.#host;
    const then = causes ? causes.asks(id, done) : done;
    this.#waiting.set(id, { node, path, openedAt, until, done: then });
    this.#deadlines.set(id, until);
    return id;
  }

  /** False when nobody waits for it any more. */
  settle(id: number, reply: R): boolean {
    const isWaited = this.#finish(id, { ok: true, reply });
    if (!isWaited) this.lateCount++;
    return isWaited;
  }

  refused(id: number): void {
    this.#finish(id, wasRefused);
  }

  /** Its connection broke before there was a reply. */
  lost(id: number): void {
    this.#finish(id, wasReset);
  }

  disconnected(node: NodeId): void {
    for (const id of this.#waiting.ids()) {
      if (this.#waiting.get(id)?.node === node) this.#finish(id, wasReset);
    }
  }

  isWaiting(id: number): boolean {
    return this.#waiting.get(id) !== undefined;
  }

  /** Stops waiting; `done` is not called. A reply that still comes counts as late. */
  abandon(id: number): void {
    this.#waiting.take(id);
    this.#host.causes?.ended(id, 'abandoned');
  }

  #finish(id: number, answer: Answer<R>): boolean {
    const call = this.#waiting.take(id);
    if (!call) return false;
    if (call.path) this.#count(call.path, call.openedAt, answer);
    if (!answer.ok) this.#host.causes?.ended(id, answer.why);
    call.done(answer);
    return true;
  }

  #count({ errors, latency }: PathMeter, openedAt: Micros, answer: Answer<R>): void {
    latency.record(this.#host.now() - openedAt);
    if (!answer.ok || this.#failed?.(answer.reply)) errors.add();
  }

  #pathTo(node: NodeId): PathMeter {
    const path = pathMeter(this.#host.meter, blockOfNode(node));
    this.#paths.set(node, path);
    return path;
  }
}
