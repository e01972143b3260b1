import { LoadpathError } from '../kit/errors.ts';
import { ValueReader } from '../parts/codec.ts';

/** Cuts a byte stream into length-prefixed frames, without copying those that came whole. */
export class Splitter {
  maxBytes: number;
  readonly #each: (reader: ValueReader) => void;
  #parts: Uint8Array[] = [];
  #size = 0;
  #wanted = 4;

  constructor(maxBytes: number, each: (reader: ValueReader) => void) {
    this.maxBytes = maxBytes;
    this.#each = each;
  }

  /** False when this is no stream of frames. Errors of whoever takes the frames pass through `each`. */
  push(chunk: Uint8Array): boolean {
    let bytes = chunk;
    if (this.#size > 0) {
      this.#parts.push(chunk);
      this.#size += chunk.length;
      if (this.#size < this.#wanted) return true;
      bytes = Buffer.concat(this.#parts, this.#size);
      this.#parts = [];
      this.#size = 0;
    }
    const reader = new ValueReader(bytes);
    let at = 0;
    while (bytes.length - at >= 4) {
      reader.at = at;
      reader.end = bytes.length;
      const size = reader.u32();
      if (size > this.maxBytes) return false;
      if (bytes.length - at - 4 < size) {
        this.#wanted = size + 4;
        break;
      }
      reader.end = at + 4 + size;
      try {
        this.#each(reader);
      } catch (error) {
        if (error instanceof LoadpathError && error.code === 'data-corrupt') return false;
        throw error;
      }
      at += 4 + size;
    }
    if (at < bytes.length) {
      const rest = bytes.subarray(at);
      if (rest.length < 4) this.#wanted = 4;
      this.#parts.push(rest);
      this.#size = rest.length;
    }
    return true;
  }
}
