/**
 * One turn of a live node: everything that one look at its sockets, timers and files sets off,
 * and then, once, what it wants of the outside.
 *
 *   socket, timer, file ──▶ handlers … handlers ──▶ history written ──▶ frames written
 *                           └──── enter() ─────┘    └──────── at the end of the turn ────────┘
 *
 * The order at the end is a promise: an `invoke` is in the history file before the message that
 * it causes can leave the process, so a kill in between loses no invocation. And one write a
 * peer a turn, instead of one a message, is where the live world gets its throughput from.
 */
export class Turn {
  readonly #onError: (error: unknown) => void;
  readonly #within: ((run: () => void) => void) | undefined;
  readonly #endings: (() => void)[] = [];
  #soon: (() => void)[] = [];
  #later: (() => void)[] = [];
  /** Made once: there are as many turns as requests. */
  readonly #ends = (): void => this.#end();
  #depth = 0;
  #scheduled = false;
  #closed = false;

  /**
   * `onError` hears what a handler threw: the node stops, loudly. Where several nodes share a process, `within` runs
   * what is this one's: of a socket that was accepted nobody but the door knows whose it is.
   */
  constructor(onError: (error: unknown) => void, within?: (run: () => void) => void) {
    this.#onError = onError;
    this.#within = within;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Runs at the end of every turn, in the order of registration. */
  atEnd(ending: () => void): void {
    this.#endings.push(ending);
  }

  /** Every door from the machine into the node's code goes through here. */
  enter<A, B>(handler: (a: A, b: B) => void, a: A, b: B): void {
    if (this.#closed) return;
    if (this.#within && this.#depth === 0) this.#within(() => this.#run(handler, a, b));
    else this.#run(handler, a, b);
  }

  /** Still in this turn, after the handler that is running now. */
  soon(fire: () => void): void {
    this.#soon.push(fire);
    if (this.#depth === 0) this.wake();
  }

  /** In the next round, after sockets were looked at again: no loop of these starves them. */
  later(fire: () => void): void {
    this.#later.push(fire);
    this.wake();
  }

  /** Sees to it that this turn ends. */
  wake(): void {
    if (this.#scheduled || this.#closed) return;
    this.#scheduled = true;
    setImmediate(this.#ends);
  }

  close(): void {
    this.#closed = true;
    this.#soon = [];
    this.#later = [];
  }

  #run<A, B>(handler: (a: A, b: B) => void, a: A, b: B): void {
    this.#depth++;
    try {
      handler(a, b);
      if (this.#depth === 1) this.#runSoon();
    } catch (error) {
      this.#onError(error);
    } finally {
      this.#depth--;
    }
  }

  #end(): void {
    this.#scheduled = false;
    if (this.#closed) return;
    if (this.#soon.length > 0) this.enter(nothing, undefined, undefined);
    // Short chains (a program that asks its neighbour on the node) finish within one turn.
    for (let round = 0; round < 4 && this.#later.length > 0; round++) {
      const fires = this.#later;
      this.#later = [];
      for (const fire of fires) this.enter(call, fire, undefined);
    }
    if (this.#closed) return;
    try {
      for (const ending of this.#endings) ending();
    } catch (error) {
      this.#onError(error);
    }
    if (this.#later.length > 0) this.wake();
  }

  #runSoon(): void {
    // Grows while it is walked: what a callback asks for runs in the same sweep.
    for (let i = 0; i < this.#soon.length; i++) this.#soon[i]!();
    if (this.#soon.length > 0) this.#soon = [];
  }
}

function nothing(): void {}

function call(fire: () => void): void {
  fire();
}
