/**
 * Which messages of which publisher a partition already has, so that a retry never stores twice.
 *
 * A publisher numbers its messages and says with each below which number it no longer waits for any
 * on this partition. So only what is in flight must be remembered, exactly and without a clock:
 *
 *   ── floor ────────┬── seq 7: offset 41
 *   below: stale,    ├── seq 8: being written
 *   nobody waits     └── seq 9: never seen
 *
 * A publisher's later life ends its former one: what that had in flight nobody waits for.
 */
import type { NodeId, Value } from '../../../host/host.ts';
import { IdMap } from '../../../parts/id-map.ts';

export interface Sent {
  readonly node: NodeId;
  readonly life: number;
  readonly seq: number;
  readonly low: number;
}

/** A message being written, and the questions that wait for it. */
export interface Writing {
  readonly state: 'writing';
  readonly asked: number[];
}
type Known =
  | { readonly state: 'stored'; readonly offset: number }
  | Writing
  | { readonly state: 'refused' };
export type Seen =
  | Known
  | { readonly state: 'stale' }
  /** Of a life before `life`, the latest that was heard of. */
  | { readonly state: 'over'; readonly life: number }
  | { readonly state: 'new' };

interface Publisher {
  readonly life: number;
  floor: number;
  readonly seqs: IdMap<Known>;
}

const isStale: Seen = { state: 'stale' };
const isNew: Seen = { state: 'new' };
const isRefused: Known = { state: 'refused' };

export class Producers {
  readonly #publishers = new Map<NodeId, Publisher>();

  look({ node, life, seq, low }: Sent): Seen {
    const publisher = this.#of(node, life);
    if (!publisher) return { state: 'over', life: this.#publishers.get(node)!.life };
    raise(publisher, low);
    if (seq < publisher.floor) return isStale;
    return publisher.seqs.get(seq) ?? isNew;
  }

  begin({ node, life, seq }: Sent, id: number): Writing {
    const writing: Writing = { state: 'writing', asked: [id] };
    this.#of(node, life)?.seqs.set(seq, writing);
    return writing;
  }

  stored({ node, life, seq, low }: Sent, offset: number): void {
    const publisher = this.#of(node, life);
    if (!publisher) return;
    raise(publisher, low);
    if (seq >= publisher.floor) publisher.seqs.set(seq, { state: 'stored', offset });
  }

  /** Said to be certain: no later copy of this message may be stored. */
  refuse({ node, life, seq }: Sent): void {
    const publisher = this.#of(node, life);
    if (publisher && seq >= publisher.floor) publisher.seqs.set(seq, isRefused);
  }

  /** It may or may not be on the disk: asked again, it is written again. */
  forget({ node, life, seq }: Sent): void {
    this.#of(node, life)?.seqs.take(seq);
  }

  /** What a new segment begins with, so that recovery need not read the old ones. */
  snapshot(): Value {
    return [...this.#publishers].map(([node, { life, floor, seqs }]) => {
      const stored: number[] = [];
      for (const seq of seqs.ids()) {
        const known = seqs.get(seq)!;
        if (known.state === 'stored') stored.push(seq, known.offset);
      }
      return [node, life, floor, stored];
    });
  }

  restore(snapshot: Value): void {
    for (const [node, life, floor, stored] of snapshot as readonly [
      NodeId,
      number,
      number,
      readonly number[],
    ][]) {
      const seqs = new IdMap<Known>();
      for (let i = 0; i < stored.length; i += 2) {
        seqs.set(stored[i]!, { state: 'stored', offset: stored[i + 1]! });
      }
      this.#publishers.set(node, { life, floor, seqs });
    }
  }

  /** Undefined for a life that is over. */
  #of(node: NodeId, life: number): Publisher | undefined {
    const known = this.#publishers.get(node);
    if (known && known.life === life) return known;
    if (known && known.life > life) return undefined;
    const fresh: Publisher = { life, floor: 0, seqs: new IdMap() };
    this.#publishers.set(node, fresh);
    return fresh;
  }
}

/** Beyond as many, what is known is gone through, and not what might be. */
const stepsMax = 1_000;

function raise(publisher: Publisher, low: number): void {
  const { floor, seqs } = publisher;
  if (low <= floor) return;
  publisher.floor = low;
  // Of a publisher that is new here, or was long away, numbers are skipped that nobody asked about.
  if (low - floor > stepsMax) {
    for (const seq of seqs.ids()) if (seq < low) seqs.take(seq);
  } else {
    for (let seq = floor; seq < low; seq++) seqs.take(seq);
  }
}
