/**
 * Timers by the thousand: a hashed wheel of one-millisecond slots over a single timer of the
 * machine (Varghese and Lauck, 1987). Starting and cancelling one is a few list operations.
 *
 * A request's timeout is nearly always cancelled, so the cost that counts is start and cancel.
 * Nothing fires early: an entry is due at the first whole millisecond after its instant.
 */
import type { Micros, Timer } from '../host/host.ts';

const slotCount = 4_096;
const mask = slotCount - 1;

export class Wheel {
  readonly #now: () => Micros;
  readonly #fire: (fires: () => void) => void;
  readonly #later: (run: () => void) => void;
  /** Those without a delay, in the order in which they were set. */
  #atOnce: Entry[] = [];
  readonly #slots: Entry[] = [];
  #tick: number;
  #count = 0;
  #armedTick = Number.POSITIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;
  #sequence = 0;

  /**
   * `fire` runs each due callback: the door into the node. `later` runs what has no delay, after
   * the code that set it and before anything is waited for.
   */
  constructor(
    now: () => Micros,
    fire: (fires: () => void) => void,
    later: (run: () => void) => void = setImmediate,
  ) {
    this.#now = now;
    this.#fire = fire;
    this.#later = later;
    this.#tick = this.#nowTick();
    for (let i = 0; i < slotCount; i++) this.#slots.push(new Entry());
  }

  get size(): number {
    return this.#count;
  }

  after(delayUs: Micros, fires: () => void): Timer {
    const isAtOnce = !(delayUs > 0);
    const dueAt = this.#now() + (isAtOnce ? 0 : delayUs);
    const entry = new Entry();
    entry.wheel = this;
    entry.dueAt = dueAt;
    // Never into the slot being swept: that one is past.
    entry.dueTick = Math.max(Math.ceil(dueAt / 1_000), this.#tick + 1);
    entry.sequence = this.#sequence++;
    entry.fires = fires;
    if (isAtOnce) {
      this.#atOnce.push(entry);
      if (this.#atOnce.length === 1) this.#later(this.#sweepAtOnce);
      return entry;
    }
    entry.linkBefore(this.#slots[entry.dueTick & mask]!);
    this.#count++;
    if (entry.dueTick < this.#armedTick) this.#arm(entry.dueTick);
    return entry;
  }

  /** Drops every timer: the node is gone. */
  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const head of this.#slots) {
      while (head.next !== head) head.next.unlink();
    }
    this.#atOnce = [];
    this.#count = 0;
    this.#armedTick = Number.POSITIVE_INFINITY;
  }

  /** Called by an entry that was cancelled. */
  forget(): void {
    this.#count--;
  }

  #arm(tick: number): void {
    clearTimeout(this.#timer);
    this.#armedTick = tick;
    const delayMs = Math.max(1, Math.ceil(tick - this.#now() / 1_000));
    this.#timer = setTimeout(() => this.#sweep(this.#nowTick(), true), delayMs);
  }

  /**
   * One sweep takes both kinds: where the process stood still, a timer of ten milliseconds may be
   * due by the time that one without a delay has its turn, and yet comes after it.
   */
  #sweep(nowTick: number, withSlots: boolean): void {
    const due = this.#atOnce;
    this.#atOnce = [];
    if (withSlots) this.#collect(due, nowTick);
    for (const entry of due) {
      // One that fired before it in this sweep may have cancelled it.
      if (entry.fires === undefined) continue;
      const fires = entry.fires;
      entry.fires = undefined;
      this.#fire(fires);
    }
    if (withSlots) this.#armNext();
  }

  /** By way of `later`; a sweep of the machine's timer may have come first and taken all there was. */
  readonly #sweepAtOnce = (): void => {
    if (this.#atOnce.length === 0) return;
    const nowTick = this.#nowTick();
    this.#sweep(nowTick, this.#armedTick <= nowTick);
  };

  #nowTick(): number {
    return Math.floor(this.#now() / 1_000);
  }

  /** Adds to `due` what the slots hold up to this tick, all in the order of their instants. */
  #collect(due: Entry[], nowTick: number): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#armedTick = Number.POSITIVE_INFINITY;
    // A process that stood still for longer than a round looks at every slot once.
    const first = Math.max(this.#tick + 1, nowTick - mask);
    for (let tick = first; tick <= nowTick; tick++) {
      const head = this.#slots[tick & mask]!;
      for (let entry = head.next; entry !== head; ) {
        const next = entry.next;
        if (entry.dueTick <= nowTick) {
          entry.unlink();
          this.#count--;
          due.push(entry);
        }
        entry = next;
      }
    }
    this.#tick = Math.max(this.#tick, nowTick);
    if (due.length > 1) due.sort((a, b) => a.dueAt - b.dueAt || a.sequence - b.sequence);
  }

  #armNext(): void {
    if (this.#count === 0) return;
    let nearest = Number.POSITIVE_INFINITY;
    for (let step = 1; step <= slotCount && this.#tick + step < nearest; step++) {
      const head = this.#slots[(this.#tick + step) & mask]!;
      for (let entry = head.next; entry !== head; entry = entry.next) {
        if (entry.dueTick < nearest) nearest = entry.dueTick;
      }
    }
    if (nearest < this.#armedTick) this.#arm(nearest);
  }
}

/** A timer, and a link of its slot's ring. */
class Entry implements Timer {
  next: Entry = this;
  previous: Entry = this;
  wheel: Wheel | undefined = undefined;
  fires: (() => void) | undefined = undefined;
  dueAt = 0;
  dueTick = 0;
  sequence = 0;

  cancel(): void {
    this.fires = undefined;
    if (this.next === this) return;
    this.unlink();
    this.wheel?.forget();
  }

  linkBefore(head: Entry): void {
    this.previous = head.previous;
    this.next = head;
    head.previous.next = this;
    head.previous = this;
  }

  unlink(): void {
    this.previous.next = this.next;
    this.next.previous = this.previous;
    this.next = this;
    this.previous = this;
  }
}
