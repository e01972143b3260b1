/**
 * How a simulation is held while it runs: its loop never yields, so what it is to do comes through
 * memory that both threads see.
 *
 *   who asked        stop, pause, resume; hear, for every message that was taken
 *   the simulation   hold, at every edge of a second or a frame: waits there while it is paused, and
 *                    while too much of what it said was not taken yet
 */

/** Cells of an Int32Array. `changed` is what is waited on: every other cell may be why. */
const cell = { stopped: 0, paused: 1, heard: 2, changed: 3 } as const;

/** Messages that may be under way. More would only pile up where nobody reads them. */
const aheadMax = 256;

export class Reins {
  /** Crosses to the other thread. */
  readonly shared: SharedArrayBuffer;
  readonly #cells: Int32Array;

  constructor(shared = new SharedArrayBuffer(16)) {
    this.shared = shared;
    this.#cells = new Int32Array(shared);
  }

  stop(): void {
    this.#set(cell.stopped, 1);
  }

  pause(): void {
    this.#set(cell.paused, 1);
  }

  resume(): void {
    this.#set(cell.paused, 0);
  }

  /** One more message was taken. */
  hear(): void {
    Atomics.add(this.#cells, cell.heard, 1);
    this.#wake();
  }

  get isStopped(): boolean {
    return Atomics.load(this.#cells, cell.stopped) !== 0;
  }

  /** `saidCount`: messages so far. */
  mustWait(saidCount: number): boolean {
    if (this.isStopped) return false;
    if (Atomics.load(this.#cells, cell.paused) !== 0) return true;
    // The difference wraps around as both counts do.
    return ((saidCount - Atomics.load(this.#cells, cell.heard)) | 0) > aheadMax;
  }

  /** Returns when the run may go on, or is to end. */
  hold(saidCount: number): void {
    for (;;) {
      const seen = Atomics.load(this.#cells, cell.changed);
      if (!this.mustWait(saidCount)) return;
      Atomics.wait(this.#cells, cell.changed, seen);
    }
  }

  #set(index: number, value: number): void {
    Atomics.store(this.#cells, index, value);
    this.#wake();
  }

  #wake(): void {
    Atomics.add(this.#cells, cell.changed, 1);
    Atomics.notify(this.#cells, cell.changed);
  }
}
