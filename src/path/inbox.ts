/**
 * What a server holds for its callers: each request once, until it is answered or given up.
 *
 * A network may bring a message twice, also after it was answered. Ids of one caller only grow, and
 * messages of one caller come in order, so whatever is not above the highest seen is a copy.
 */
import type { Address, NodeId } from '../host/host.ts';
import { IdMap } from '../parts/id-map.ts';

interface Caller<T> {
  highest: number;
  readonly held: IdMap<T>;
}

export class Inbox<T> {
  readonly #callers = new Map<NodeId, Caller<T>>();
  /** Who was looked up last: a message is new, held and taken by turns, mostly of one caller. */
  #lastNode: NodeId | undefined;
  #last: Caller<T> | undefined;
  #count = 0;

  /** Requests held. */
  get count(): number {
    return this.#count;
  }

  /** False for a copy of a request that came before. */
  isNew(from: Address, id: number): boolean {
    const caller = this.#of(from.node);
    if (!caller) {
      // Nobody was found under this name so far, and that must not be remembered.
      this.#lastNode = undefined;
      this.#callers.set(from.node, { highest: id, held: new IdMap() });
      return true;
    }
    if (id <= caller.highest) return false;
    caller.highest = id;
    return true;
  }

  /** Of a request that was new. */
  hold(from: Address, id: number, item: T): void {
    this.#of(from.node)!.held.set(id, item);
    this.#count++;
  }

  get(from: Address, id: number): T | undefined {
    return this.#of(from.node)?.held.get(id);
  }

  take(from: Address, id: number): T | undefined {
    const item = this.#of(from.node)?.held.take(id);
    if (item !== undefined) this.#count--;
    return item;
  }

  /** What a caller that is gone still waited for; it stays held. */
  heldFor(node: NodeId): readonly T[] {
    const held = this.#callers.get(node)?.held;
    return held ? held.ids().map((id) => held.get(id)!) : [];
  }

  takeAllOf(node: NodeId): readonly T[] {
    const held = this.#callers.get(node)?.held;
    const taken = held ? held.ids().map((id) => held.take(id)!) : [];
    this.#count -= taken.length;
    return taken;
  }

  #of(node: NodeId): Caller<T> | undefined {
    if (node !== this.#lastNode) {
      this.#lastNode = node;
      this.#last = this.#callers.get(node);
    }
    return this.#last;
  }
}
