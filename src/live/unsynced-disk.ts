/**
 * A disk that forgets at a kill what was not synced. `kill -9` leaves the system's page cache
 * alone, so a program that never syncs passes every test with it; power failures are less kind.
 * Here appended bytes stay in the process until `sync`, visible to reads, and die with it.
 */
import type { DiskOutcome } from '../host/host.ts';
import type { Random } from '../kit/random.ts';
import type { DiskFault, LiveDisk } from './disk.ts';

export class UnsyncedDisk implements LiveDisk {
  readonly #inner: LiveDisk;
  readonly #enter: (fire: () => void) => void;
  readonly #pending = new Map<string, Uint8Array[]>();

  /** `enter` runs a callback as a turn of the node. */
  constructor(inner: LiveDisk, enter: (fire: () => void) => void) {
    this.#inner = inner;
    this.#enter = enter;
  }

  get fault(): DiskFault {
    return this.#inner.fault;
  }
  set fault(fault: DiskFault) {
    this.#inner.fault = fault;
  }

  get slowFactor(): number {
    return this.#inner.slowFactor;
  }
  set slowFactor(factor: number) {
    this.#inner.slowFactor = factor;
  }

  list(prefix = ''): readonly string[] {
    const pending = [...this.#pending.keys()].filter((name) => name.startsWith(prefix));
    return [...new Set([...this.#inner.list(prefix), ...pending])].sort();
  }

  read(name: string): Uint8Array | undefined {
    const stored = this.#inner.read(name);
    const pending = this.#pending.get(name);
    if (!pending) return stored;
    const parts = stored ? [stored, ...pending] : pending;
    const whole = new Uint8Array(sizeOf(parts));
    let at = 0;
    for (const part of parts) {
      whole.set(part, at);
      at += part.length;
    }
    return whole;
  }

  append(name: string, bytes: Uint8Array): boolean {
    if (this.fault === 'full') return false;
    const pending = this.#pending.get(name);
    if (pending) pending.push(Uint8Array.from(bytes));
    else this.#pending.set(name, [Uint8Array.from(bytes)]);
    return true;
  }

  sync(name: string, done: (outcome: DiskOutcome) => void): void {
    // A sync that is bound to fail must leave the bytes where a truncation still reaches them.
    if (this.fault === 'none' && !this.#write(name)) {
      setImmediate(() => this.#enter(() => done('full')));
      return;
    }
    this.#inner.sync(name, done);
  }

  replace(name: string, bytes: Uint8Array, done: (outcome: DiskOutcome) => void): void {
    if (this.fault === 'none') this.#pending.delete(name);
    this.#inner.replace(name, bytes, done);
  }

  remove(name: string): void {
    this.#pending.delete(name);
    this.#inner.remove(name);
  }

  truncate(name: string, length: number): void {
    const pending = this.#pending.get(name);
    if (pending) {
      const whole = this.read(name);
      const storedSize = (whole?.length ?? 0) - sizeOf(pending);
      if (length > storedSize) {
        if (whole) this.#pending.set(name, [whole.slice(storedSize, length)]);
        return;
      }
      this.#pending.delete(name);
    }
    this.#inner.truncate(name, length);
  }

  freeBytes(): number {
    return this.#inner.freeBytes();
  }

  rot(bits: number, random: Random): void {
    this.#inner.rot(bits, random);
  }

  close(): void {
    this.#pending.clear();
    this.#inner.close();
  }

  #write(name: string): boolean {
    const pending = this.#pending.get(name);
    while (pending && pending.length > 0) {
      if (!this.#inner.append(name, pending[0]!)) return false;
      pending.shift();
    }
    this.#pending.delete(name);
    return true;
  }
}

function sizeOf(parts: readonly Uint8Array[]): number {
  return parts.reduce((sum, part) => sum + part.length, 0);
}
