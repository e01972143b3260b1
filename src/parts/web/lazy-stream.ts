/**
 * A stream that is made when somebody first looks into it. Middleware that adds a header to a
 * finished response passes `response.body` on without reading it, and making a platform stream
 * for that costs more than the rest of the request.
 *
 * The platform keeps a stream's state in symbol properties of its own. An object that has the
 * stream's prototype and answers for those symbols with the state of a real stream, made on
 * first use, is one to everybody: readers, pipes, `tee`, `Readable.fromWeb`.
 */
const stateSymbols = Object.getOwnPropertySymbols(new ReadableStream());

/** Whom a stream was made for; undefined for other people's streams. */
export let ownerOf: (stream: ReadableStream) => unknown;

/** Locks a stream for good, without making it. Whoever comes later finds it taken. */
export let seize: (stream: ReadableStream) => void;

class LazyStream {
  readonly #owner: unknown;
  readonly #make: () => ReadableStream<Uint8Array>;
  #made: ReadableStream<Uint8Array> | undefined;
  #seized = false;

  static {
    seize = (stream) => {
      if (#owner in stream && stream.#made === undefined) stream.#seized = true;
      else if (!stream.locked) stream.getReader();
    };
    ownerOf = (stream) => (#owner in stream ? stream.#owner : eager.get(stream));
    Object.setPrototypeOf(LazyStream.prototype, ReadableStream.prototype);
    for (const symbol of stateSymbols) {
      Object.defineProperty(LazyStream.prototype, symbol, {
        get(this: LazyStream) {
          return Reflect.get(this.#stream, symbol);
        },
        set(this: LazyStream, value: unknown) {
          Reflect.set(this.#stream, symbol, value);
        },
      });
    }
  }

  constructor(owner: unknown, make: () => ReadableStream<Uint8Array>) {
    this.#owner = owner;
    this.#make = make;
  }

  get #stream(): ReadableStream<Uint8Array> {
    if (this.#made) return this.#made;
    this.#made = this.#make();
    if (this.#seized) this.#made.getReader();
    return this.#made;
  }

  /** Answers without making the stream. */
  get locked(): boolean {
    return this.#made?.locked ?? this.#seized;
  }
}

/** Costly for the collector, so only where nothing better works. */
const eager = new WeakMap<ReadableStream, unknown>();

/** A platform that keeps its state elsewhere gets its stream at once. */
export function lazyStream(
  owner: unknown,
  make: () => ReadableStream<Uint8Array>,
): ReadableStream<Uint8Array> {
  if (stateSymbols.length > 0) return new LazyStream(owner, make) as never;
  const stream = make();
  eager.set(stream, owner);
  return stream;
}
