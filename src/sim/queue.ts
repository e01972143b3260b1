/**
 * The event queue: a ladder queue (Tang, Goh and Thng, "Ladder queue", 2005) over typed arrays.
 *
 *   top     far future, unsorted           ┌──┬──┬──┬──┬──┬──┐
 *   rungs   buckets of equal width,        │  │▓▓│▓ │▓▓│▓ │  │   a crowded bucket becomes
 *           coarse to fine                 └──┴┬─┴──┴──┴──┴──┘   the next, finer rung
 *   bottom  the next few events, sorted        └▶ ▓▓▓▓
 *   now     events of the current instant, in order of arrival
 *
 * Push and pop cost the same however many events wait, where a heap pays for each doubling.
 * Events of one time come out in the order they went in: every list here keeps arrival order, equal
 * times always share a list, and the sort is stable, so no sequence number is stored.
 *
 * An event is a slot in parallel arrays: `kind` says what to do, `a` and `b` with what; no closure
 * is needed. Slots are reused. A cancelled event leaves its slot to be swept up later, at the
 * latest when the cancelled outnumber the waiting: memory follows the waiting, not the timeouts.
 */
import { assert } from '../kit/assert.ts';

/** A bucket or a bottom with more events than this is worth a rung of its own. */
const crowd = 48;
const rungsMax = 12;
const bucketsMax = 1 << 20;
/** Sweeping fewer than this is not worth the walk. */
const sweepMin = 1024;
const none = -1;
const cancelled = 0;

interface Rung {
  /** Last slot of each bucket's ring (its `next` is the first), or `none`. */
  tails: Int32Array;
  count: number;
  start: number;
  /** Buckets per microsecond. */
  scale: number;
  /** The first bucket not yet emptied. */
  current: number;
  size: number;
}

export class EventQueue {
  /** Time of the event popped last: the present. Nothing earlier can be pushed. */
  now: number;
  /** Of the event popped last. */
  kind = 0;
  node = 0;
  life = 0;
  a: unknown = undefined;
  b: unknown = undefined;

  #waiting = 0;
  #cancelled = 0;

  #capacity = 0;
  #times = new Float64Array(0);
  #next = new Int32Array(0);
  #kinds = new Uint8Array(0);
  #nodes = new Int32Array(0);
  #lives = new Int32Array(0);
  #generations = new Int32Array(0);
  #as: unknown[] = [];
  #bs: unknown[] = [];
  #free = none;

  /** A ring of the far future, and the latest time that does not belong there. */
  #topTail = none;
  #topFloor = Number.NEGATIVE_INFINITY;

  readonly #rungs: Rung[] = [];
  #depth = 0;

  #bottomTimes = new Float64Array(256);
  #bottomSlots = new Int32Array(256);
  #bottomHead = 0;
  #bottomEnd = 0;

  #lane = new Int32Array(256);
  #laneHead = 0;
  #laneSize = 0;

  constructor(now = 0) {
    this.now = now;
  }

  /** Events that will still happen. */
  get size(): number {
    return this.#waiting;
  }

  /** Slots held: what memory follows. */
  get capacity(): number {
    return this.#capacity;
  }

  /**
   * `kind` from 1 to 255. Returns the slot; together with `generation(slot)` it can be cancelled.
   * A time before `now` counts as now.
   */
  push(time: number, kind: number, node: number, life: number, a: unknown, b: unknown): number {
    if (this.#free === none) this.#grow();
    const slot = this.#free;
    this.#free = this.#next[slot]!;
    this.#kinds[slot] = kind;
    this.#nodes[slot] = node;
    this.#lives[slot] = life;
    this.#as[slot] = a;
    this.#bs[slot] = b;
    this.#waiting++;
    if (time <= this.now) {
      this.#times[slot] = this.now;
      this.#pushLane(slot);
    } else {
      this.#times[slot] = time;
      this.#place(slot, time);
    }
    return slot;
  }

  generation(slot: number): number {
    return this.#generations[slot]!;
  }

  /** False when the event has happened or was cancelled before. */
  cancel(slot: number, generation: number): boolean {
    if (this.#generations[slot] !== generation) return false;
    this.#generations[slot] = (generation + 1) | 0;
    this.#kinds[slot] = cancelled;
    this.#as[slot] = undefined;
    this.#bs[slot] = undefined;
    this.#waiting--;
    this.#cancelled++;
    if (this.#cancelled > sweepMin && this.#cancelled > this.#waiting) this.#sweep();
    return true;
  }

  /** When the next event is due; infinity when none waits. */
  peek(): number {
    return this.#settle()
      ? this.#isLaneNext()
        ? this.now
        : this.#bottomTimes[this.#bottomHead]!
      : Number.POSITIVE_INFINITY;
  }

  /**
   * Moves to the next event, if it is due by `until`: `now`, `kind`, `node`, `life`, `a` and `b`
   * are then its own. False leaves everything as it is.
   */
  pop(until: number): boolean {
    // The common case first: the bottom holds a waiting event and the lane is empty.
    if (
      this.#laneSize > 0 ||
      this.#bottomHead === this.#bottomEnd ||
      this.#kinds[this.#bottomSlots[this.#bottomHead]!] === cancelled
    ) {
      if (!this.#settle()) return false;
      if (this.#isLaneNext()) {
        if (this.now > until) return false;
        const slot = this.#lane[this.#laneHead]!;
        this.#laneHead = (this.#laneHead + 1) & (this.#lane.length - 1);
        this.#laneSize--;
        this.#take(slot);
        return true;
      }
    }
    const time = this.#bottomTimes[this.#bottomHead]!;
    if (time > until) return false;
    const slot = this.#bottomSlots[this.#bottomHead++]!;
    this.now = time;
    this.#take(slot);
    return true;
  }

  #take(slot: number): void {
    this.kind = this.#kinds[slot]!;
    this.node = this.#nodes[slot]!;
    this.life = this.#lives[slot]!;
    this.a = this.#as[slot];
    this.b = this.#bs[slot];
    this.#as[slot] = undefined;
    this.#bs[slot] = undefined;
    this.#generations[slot] = (this.#generations[slot]! + 1) | 0;
    this.#next[slot] = this.#free;
    this.#free = slot;
    this.#waiting--;
  }

  /** Brings a waiting event to the head of the lane or of the bottom. False: there is none. */
  #settle(): boolean {
    while (this.#laneSize > 0 && this.#kinds[this.#lane[this.#laneHead]!] === cancelled) {
      this.#drop(this.#lane[this.#laneHead]!);
      this.#laneHead = (this.#laneHead + 1) & (this.#lane.length - 1);
      this.#laneSize--;
    }
    for (;;) {
      while (this.#bottomHead < this.#bottomEnd) {
        const slot = this.#bottomSlots[this.#bottomHead]!;
        if (this.#kinds[slot] !== cancelled) return true;
        this.#bottomHead++;
        this.#drop(slot);
      }
      if (!this.#refill()) return this.#laneSize > 0;
    }
  }

  /** Whatever was pushed for this instant before it came waits in the bottom, and goes first. */
  #isLaneNext(): boolean {
    return (
      this.#laneSize > 0 &&
      (this.#bottomHead === this.#bottomEnd || this.#bottomTimes[this.#bottomHead]! > this.now)
    );
  }

  #pushLane(slot: number): void {
    const { length } = this.#lane;
    if (this.#laneSize === length) {
      const grown = new Int32Array(length * 2);
      for (let i = 0; i < length; i++) {
        grown[i] = this.#lane[(this.#laneHead + i) & (length - 1)]!;
      }
      this.#lane = grown;
      this.#laneHead = 0;
    }
    this.#lane[(this.#laneHead + this.#laneSize++) & (this.#lane.length - 1)] = slot;
  }

  #place(slot: number, time: number): void {
    if (time > this.#topFloor) {
      this.#topTail = this.#link(this.#topTail, slot);
      return;
    }
    for (let depth = 0; depth < this.#depth; depth++) {
      const rung = this.#rungs[depth]!;
      const bucket = bucketOf(rung, time);
      if (bucket >= rung.current) {
        rung.tails[bucket] = this.#link(rung.tails[bucket]!, slot);
        rung.size++;
        return;
      }
    }
    this.#insert(slot, time);
  }

  /** Appends to a ring and returns its new tail. */
  #link(tail: number, slot: number): number {
    const next = this.#next;
    if (tail === none) {
      next[slot] = slot;
    } else {
      next[slot] = next[tail]!;
      next[tail] = slot;
    }
    return slot;
  }

  /**
   * Into the bottom, behind its equals. Those nearer to the end that it is nearer to make room: most
   * messages arrive before most work ends, so that from the end alone half the bottom would move for each.
   */
  #insert(slot: number, time: number): void {
    if (this.#bottomEnd - this.#bottomHead >= 2 * crowd && this.#spillBottom()) {
      this.#place(slot, time);
      return;
    }
    const head = this.#bottomHead;
    const end = this.#bottomEnd;
    if (head > 0 && head < end && time < this.#bottomTimes[(head + end) >> 1]!) {
      this.#insertFromHead(slot, time, head - 1);
      return;
    }
    this.#makeRoom(1);
    const times = this.#bottomTimes;
    const slots = this.#bottomSlots;
    let i = this.#bottomEnd++;
    const first = this.#bottomHead;
    while (i > first && times[i - 1]! > time) {
      times[i] = times[i - 1]!;
      slots[i] = slots[i - 1]!;
      i--;
    }
    times[i] = time;
    slots[i] = slot;
  }

  /** What was popped before has left room in front. */
  #insertFromHead(slot: number, time: number, head: number): void {
    const times = this.#bottomTimes;
    const slots = this.#bottomSlots;
    this.#bottomHead = head;
    let i = head;
    // Ends before the middle, which is later.
    while (times[i + 1]! <= time) {
      times[i] = times[i + 1]!;
      slots[i] = slots[i + 1]!;
      i++;
    }
    times[i] = time;
    slots[i] = slot;
  }

  /** Turns a bottom that has become long into a rung, so that inserting stays cheap. */
  #spillBottom(): boolean {
    const min = this.#bottomTimes[this.#bottomHead]!;
    const max = this.#bottomTimes[this.#bottomEnd - 1]!;
    if (this.#depth === rungsMax || min === max) return false;
    const rung = this.#openRung(this.#bottomEnd - this.#bottomHead, min, max);
    for (let i = this.#bottomHead; i < this.#bottomEnd; i++) {
      this.#linkIn(rung, this.#bottomSlots[i]!, this.#bottomTimes[i]!);
    }
    this.#bottomHead = 0;
    this.#bottomEnd = 0;
    return true;
  }

  #linkIn(rung: Rung, slot: number, time: number): void {
    const bucket = bucketOf(rung, time);
    rung.tails[bucket] = this.#link(rung.tails[bucket]!, slot);
    rung.size++;
  }

  /** Fills the empty bottom from the first bucket, or the top. False: nothing is left anywhere. */
  #refill(): boolean {
    for (;;) {
      let tail = none;
      if (this.#depth > 0) {
        const rung = this.#rungs[this.#depth - 1]!;
        if (rung.size === 0) {
          this.#depth--;
          continue;
        }
        const { tails } = rung;
        let { current } = rung;
        while (tails[current] === none) current++;
        tail = tails[current]!;
        tails[current] = none;
        rung.current = current + 1;
        rung.size -= this.#lengthOf(tail);
      } else if (this.#topTail !== none) {
        tail = this.#topTail;
        this.#topTail = none;
      } else {
        return false;
      }
      if (this.#spread(tail)) return true;
    }
  }

  #lengthOf(tail: number): number {
    const next = this.#next;
    let count = 1;
    for (let slot = next[tail]!; slot !== tail; slot = next[slot]!) count++;
    return count;
  }

  /** Into the bottom if the ring is short, into a new rung otherwise. False: nothing came of it. */
  #spread(tail: number): boolean {
    const next = this.#next;
    const times = this.#times;
    let count = 0;
    let min = Number.POSITIVE_INFINITY;
    let max = Number.NEGATIVE_INFINITY;
    let slot = next[tail]!;
    for (;;) {
      const time = times[slot]!;
      if (time < min) min = time;
      if (time > max) max = time;
      count++;
      if (slot === tail) break;
      slot = next[slot]!;
    }
    if (this.#depth === 0) this.#topFloor = max;
    const isCrowded = count > crowd && min < max && this.#depth < rungsMax;
    const rung = isCrowded ? this.#openRung(count, min, max) : undefined;
    if (!rung) {
      this.#bottomHead = 0;
      this.#bottomEnd = 0;
      this.#makeRoom(count);
    }
    slot = next[tail]!;
    for (;;) {
      const following = next[slot]!;
      if (this.#kinds[slot] === cancelled) this.#drop(slot);
      else if (rung) this.#linkIn(rung, slot, times[slot]!);
      else {
        this.#bottomTimes[this.#bottomEnd] = times[slot]!;
        this.#bottomSlots[this.#bottomEnd++] = slot;
      }
      if (slot === tail) break;
      slot = following;
    }
    if (rung || this.#bottomEnd === 0) return false;
    if (min < max) this.#sortBottom();
    return true;
  }

  #openRung(count: number, min: number, max: number): Rung {
    const buckets = Math.min(count, bucketsMax);
    let rung = this.#rungs[this.#depth];
    if (!rung) {
      rung = { tails: new Int32Array(0), count: 0, start: 0, scale: 0, current: 0, size: 0 };
      this.#rungs.push(rung);
    }
    // Too small is replaced; much too large too, or a burst would hold its memory for ever.
    if (rung.tails.length < buckets || rung.tails.length > 64 * buckets + 4096) {
      rung.tails = new Int32Array(Math.ceil(buckets * 1.25));
    }
    rung.tails.fill(none, 0, buckets);
    rung.count = buckets;
    rung.start = min;
    rung.scale = buckets / (max - min);
    rung.current = 0;
    rung.size = 0;
    this.#depth++;
    return rung;
  }

  #sortBottom(): void {
    const times = this.#bottomTimes;
    const slots = this.#bottomSlots;
    const end = this.#bottomEnd;
    if (end > 4 * crowd) {
      const order = Array.from(slots.subarray(0, end)).sort(
        (x, y) => this.#times[x]! - this.#times[y]!,
      );
      for (let i = 0; i < end; i++) {
        slots[i] = order[i]!;
        times[i] = this.#times[order[i]!]!;
      }
      return;
    }
    for (let i = 1; i < end; i++) {
      const time = times[i]!;
      if (times[i - 1]! <= time) continue;
      const slot = slots[i]!;
      let j = i;
      while (j > 0 && times[j - 1]! > time) {
        times[j] = times[j - 1]!;
        slots[j] = slots[j - 1]!;
        j--;
      }
      times[j] = time;
      slots[j] = slot;
    }
  }

  #makeRoom(more: number): void {
    if (this.#bottomEnd + more <= this.#bottomTimes.length) return;
    const length = this.#bottomEnd - this.#bottomHead;
    const needed = Math.max(256, 2 * (length + more));
    const times = needed > this.#bottomTimes.length ? new Float64Array(needed) : this.#bottomTimes;
    const slots = needed > this.#bottomSlots.length ? new Int32Array(needed) : this.#bottomSlots;
    times.set(this.#bottomTimes.subarray(this.#bottomHead, this.#bottomEnd));
    slots.set(this.#bottomSlots.subarray(this.#bottomHead, this.#bottomEnd));
    this.#bottomTimes = times;
    this.#bottomSlots = slots;
    this.#bottomHead = 0;
    this.#bottomEnd = length;
  }

  /** A cancelled slot leaves its list. */
  #drop(slot: number): void {
    this.#next[slot] = this.#free;
    this.#free = slot;
    this.#cancelled--;
  }

  /** Unlinks every cancelled slot. Costs a walk over all, paid for by as many cancellations. */
  #sweep(): void {
    this.#topTail = this.#sweepRing(this.#topTail).tail;
    for (let depth = 0; depth < this.#depth; depth++) {
      const rung = this.#rungs[depth]!;
      rung.size = 0;
      for (let bucket = rung.current; bucket < rung.count; bucket++) {
        if (rung.tails[bucket] === none) continue;
        const swept = this.#sweepRing(rung.tails[bucket]!);
        rung.tails[bucket] = swept.tail;
        rung.size += swept.size;
      }
    }
    let end = this.#bottomHead;
    for (let i = this.#bottomHead; i < this.#bottomEnd; i++) {
      const slot = this.#bottomSlots[i]!;
      if (this.#kinds[slot] === cancelled) {
        this.#drop(slot);
        continue;
      }
      this.#bottomTimes[end] = this.#bottomTimes[i]!;
      this.#bottomSlots[end++] = slot;
    }
    this.#bottomEnd = end;
  }

  #sweepRing(tail: number): { tail: number; size: number } {
    if (tail === none) return { tail, size: 0 };
    let kept = none;
    let size = 0;
    let slot = this.#next[tail]!;
    for (;;) {
      const following = this.#next[slot]!;
      if (this.#kinds[slot] === cancelled) {
        this.#drop(slot);
      } else {
        kept = this.#link(kept, slot);
        size++;
      }
      if (slot === tail) break;
      slot = following;
    }
    return { tail: kept, size };
  }

  #grow(): void {
    const from = this.#capacity;
    const to = Math.max(1024, from * 2);
    assert(to <= 2 ** 30, 'fewer than a billion events wait at once');
    this.#times = enlarged(this.#times, new Float64Array(to));
    this.#next = enlarged(this.#next, new Int32Array(to));
    this.#kinds = enlarged(this.#kinds, new Uint8Array(to));
    this.#nodes = enlarged(this.#nodes, new Int32Array(to));
    this.#lives = enlarged(this.#lives, new Int32Array(to));
    this.#generations = enlarged(this.#generations, new Int32Array(to));
    for (let slot = from; slot < to; slot++) {
      this.#as.push(undefined);
      this.#bs.push(undefined);
      this.#next[slot] = slot + 1 < to ? slot + 1 : none;
    }
    this.#free = from;
    this.#capacity = to;
  }
}

/**
 * Monotone in `time`, which is all that order needs: two times never change places, whatever the
 * rounding. What lies beyond the last bucket belongs to it, what lies before the first to a finer rung.
 */
function bucketOf(rung: Rung, time: number): number {
  const bucket = Math.floor((time - rung.start) * rung.scale);
  return bucket < rung.count ? bucket : rung.count - 1;
}

function enlarged<T extends Float64Array | Int32Array | Uint8Array>(from: T, to: T): T {
  to.set(from);
  return to;
}
