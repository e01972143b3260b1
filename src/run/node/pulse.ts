/**
 * Where a simulation is, in memory that both threads see: whose code runs, and at what virtual time. A
 * worker whose code never comes to an end hears nothing and says nothing, but its parent can look here.
 */
import type { Micros } from '../../host/host.ts';
import type { Whereabouts } from '../simulation.ts';

/** Of an Int32Array. A turn is one event of a node, or one evaluation of the design. */
const cell = { turn: 0, isIn: 1, place: 2 } as const;
const cellBytes = 16;
const timeBytes = 8;
/** More nodes than a machine simulates, and longer names than people give. */
const placesMax = 4_096;
const nameMaxBytes = 64;

export interface Look {
  /** Another one than before: something goes on. */
  readonly turn: number;
  /** False between events: while time passes, messages travel, judges judge. */
  readonly isIn: boolean;
  /** Who was at work last, `api/0`. */
  readonly place: string;
  /** Virtual, since the load began. */
  readonly at: Micros;
}

export class Pulse implements Whereabouts {
  /** Crosses to the other thread. */
  readonly shared: SharedArrayBuffer;
  readonly #cells: Int32Array;
  readonly #time: Float64Array;
  readonly #names: Uint8Array;
  readonly #encoder = new TextEncoder();

  constructor(
    shared = new SharedArrayBuffer(cellBytes + timeBytes + (placesMax + 1) * nameMaxBytes),
  ) {
    this.shared = shared;
    this.#cells = new Int32Array(shared, 0, cellBytes / 4);
    this.#time = new Float64Array(shared, cellBytes, 1);
    this.#names = new Uint8Array(shared, cellBytes + timeBytes);
  }

  name(place: number, name: string): void {
    if (place > placesMax) return;
    const from = place * nameMaxBytes;
    const field = this.#names.subarray(from, from + nameMaxBytes);
    field.fill(0);
    field.set(this.#encoder.encode(name).subarray(0, nameMaxBytes));
  }

  /** Plain stores: at every event of user code, and it is enough that they are seen some time. */
  enter(place: number, at: Micros): void {
    const cells = this.#cells;
    cells[cell.turn] = cells[cell.turn]! + 1;
    cells[cell.place] = place;
    cells[cell.isIn] = 1;
    this.#time[0] = at;
  }

  leave(): void {
    this.#cells[cell.isIn] = 0;
  }

  /** What runs outside of any node: the modules of a design. */
  during<T>(name: string, work: () => T): T {
    this.name(0, name);
    this.enter(0, 0);
    try {
      return work();
    } finally {
      this.leave();
    }
  }

  look(): Look {
    const turn = Atomics.load(this.#cells, cell.turn);
    const isIn = Atomics.load(this.#cells, cell.isIn) !== 0;
    const from = Math.min(Atomics.load(this.#cells, cell.place), placesMax) * nameMaxBytes;
    // A copy: text is not decoded from shared memory.
    const name = this.#names.slice(from, from + nameMaxBytes);
    const end = name.indexOf(0);
    const place = new TextDecoder().decode(end < 0 ? name : name.subarray(0, end));
    return { turn, isIn, place: place || 'a node', at: this.#time[0]! };
  }
}
