/**
 * Consistent hashing: every member stands on a circle at many places (tokens), a key belongs to the
 * next tokens clockwise, so that a member that comes or goes moves only its own share of the keys.
 * Karger et al. 1997; preference lists with distinct nodes after Dynamo (DeCandia et al. 2007).
 *
 *        a3   b1
 *      ·────·────·
 *   c2 │  key ▲  │ c1      walk(key): from the key onwards, each member once, zones spread:
 *      ·────·────·         first one member of every zone, then a second of every zone, …
 *        b2   a1
 *
 * `owners(key, n)` is the beginning of `walk(key)`, so raising n moves nothing. Two rings with the
 * same members (in any order) and tokens agree, on any machine. Use a plain `hash % count` instead
 * when the number of places is fixed for ever, as with the partitions of a topic.
 */
import type { NodeId } from '../host/host.ts';
import { assert } from '../kit/assert.ts';
import { hashText } from '../kit/random.ts';

export interface RingMember {
  readonly id: NodeId;
  readonly zone: string;
  /** Share of the keys relative to the others'; 1 by default. */
  readonly weight?: number | undefined;
}

export interface RingOptions {
  /**
   * Places a member. More spread the load better (about 1 / sqrt(tokens) deviation) and cost
   * memory: 128 keep the fullest member within a quarter of the mean.
   */
  readonly tokens?: number | undefined;
}

export class Ring {
  readonly #members: readonly RingMember[];
  /** Sorted token positions, and whose each is. */
  readonly #positions: Uint32Array;
  readonly #holders: Uint16Array;
  /** The first token at or behind each slice of the circle: a search of a step or two. */
  readonly #slices: Uint32Array;
  readonly #shift: number;
  /** By token: its walk, and its beginnings by length. Made when first asked for. */
  readonly #walks: (readonly NodeId[] | undefined)[];
  readonly #beginnings: (readonly NodeId[] | undefined)[][] = [];

  constructor(members: readonly RingMember[], options: RingOptions = {}) {
    assert(members.length > 0, 'a ring has members');
    const tokens = options.tokens ?? 128;
    // Sorted, so that equal positions fall the same way however the members were listed.
    this.#members = [...members].sort((a, b) => (a.id < b.id ? -1 : 1));
    const places: { readonly position: number; readonly holder: number }[] = [];
    this.#members.forEach((member, holder) => {
      const own = Math.max(1, Math.round(tokens * (member.weight ?? 1)));
      for (let token = 0; token < own; token++) {
        places.push({ position: hashText(`${member.id}#${token}`) >>> 0, holder });
      }
    });
    places.sort((a, b) => a.position - b.position || a.holder - b.holder);
    this.#positions = Uint32Array.from(places, (place) => place.position);
    this.#holders = Uint16Array.from(places, (place) => place.holder);
    this.#walks = new Array(places.length).fill(undefined);

    const sliceBits = Math.min(16, Math.ceil(Math.log2(places.length + 1)) + 1);
    this.#shift = 32 - sliceBits;
    this.#slices = new Uint32Array(2 ** sliceBits);
    for (let slice = 0, token = 0; slice < this.#slices.length; slice++) {
      while (token < places.length && this.#positions[token]! >>> this.#shift < slice) token++;
      this.#slices[slice] = token;
    }
  }

  get size(): number {
    return this.#members.length;
  }

  /**
   * The `count` members that keep `key`, the first one being its first choice; fewer when the ring
   * is smaller. The same array for the same keys: not to be changed.
   */
  owners(key: string, count: number): readonly NodeId[] {
    return this.#ownersFrom(this.#tokenOf(key), count);
  }

  /** Every list that `owners` has for some key. */
  everyOwners(count: number): ReadonlySet<readonly NodeId[]> {
    return new Set(Array.from(this.#positions, (_, token) => this.#ownersFrom(token, count)));
  }

  #ownersFrom(token: number, count: number): readonly NodeId[] {
    this.#beginnings[count] ??= new Array(this.#positions.length).fill(undefined);
    const beginnings = this.#beginnings[count];
    const known = beginnings[token];
    if (known) return known;
    const owners = this.#walkFrom(token).slice(0, count);
    beginnings[token] = owners;
    return owners;
  }

  /** All members, in the order in which they stand in for each other at `key`. */
  walk(key: string): readonly NodeId[] {
    return this.#walkFrom(this.#tokenOf(key));
  }

  #tokenOf(key: string): number {
    const position = hashText(key) >>> 0;
    const positions = this.#positions;
    let token = this.#slices[position >>> this.#shift]!;
    while (token < positions.length && positions[token]! < position) token++;
    return token === positions.length ? 0 : token;
  }

  #walkFrom(token: number): readonly NodeId[] {
    const known = this.#walks[token];
    if (known) return known;
    const count = this.#positions.length;
    const met: { readonly id: NodeId; readonly round: number }[] = [];
    const seen = new Set<number>();
    const rounds = new Map<string, number>();
    for (let step = 0; step < count && seen.size < this.#members.length; step++) {
      const holder = this.#holders[(token + step) % count]!;
      if (seen.has(holder)) continue;
      seen.add(holder);
      const member = this.#members[holder]!;
      const round = rounds.get(member.zone) ?? 0;
      rounds.set(member.zone, round + 1);
      met.push({ id: member.id, round });
    }
    // Sorting is stable: within a round the order of the circle stays.
    const walk = met.sort((a, b) => a.round - b.round).map((member) => member.id);
    this.#walks[token] = walk;
    return walk;
  }
}
