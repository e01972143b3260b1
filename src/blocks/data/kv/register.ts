/**
 * The decisions of a coordinator, pure: who has answered, what is the newest, is it safe to say so.
 *
 * `atomic` is the multi-writer register emulation of Lynch and Shvartsman (1997) after Attiya,
 * Bar-Noy and Dolev (1995). Any two majorities share a replica, versions at a replica only grow,
 * and a replica answers only what is on its disk. So
 *
 *   write   asks a majority for its versions, makes a newer one, stores it at a majority:
 *           it is newer than every write that ended before this one began
 *   read    asks a majority, takes the newest, stores it at a majority, answers:
 *           whoever reads later meets it, even if its writer died half way
 *
 * The read's second phase is left out when a majority has already *answered* with that very
 * version: then it is durable at a majority as it stands, which is all that the phase would bring
 * about. A version is never made twice: it ends with the writer's node, life and operation.
 */
import { compareVersions, isNewer, type Version } from '../../../parts/hlc.ts';
import type { Entry } from './messages.ts';

/** Counts replicas, not answers: networks repeat messages, and a resent question is answered twice. */
export class Tally {
  readonly #once: boolean;
  #bits = 0;
  #count = 0;

  /** `once` is false in a planted bug only. */
  constructor(once: boolean) {
    this.#once = once;
  }

  get count(): number {
    return this.#count;
  }

  has(index: number): boolean {
    return (this.#bits & (1 << index)) !== 0;
  }

  add(index: number): void {
    if (this.#once && this.has(index)) return;
    this.#bits |= 1 << index;
    this.#count++;
  }
}

/** Who holds what nobody has: never added to. */
const nobody = new Tally(true);

/** What the replicas of one key have said in answer to one question. */
export class Reading {
  readonly #once: boolean;
  readonly heard: Tally;
  /** Of every replica that answered: what it had. Null: nothing. Room for the usual three. */
  readonly #versions: (Version | null | undefined)[] = [undefined, undefined, undefined];
  #newest: Entry | null = null;
  #holders = nobody;
  #floor: Version | null = null;

  constructor(once: boolean) {
    this.#once = once;
    this.heard = new Tally(once);
  }

  get newest(): Entry | null {
    return this.#newest;
  }

  /** The replicas known to have exactly `newest`. */
  get holders(): Tally {
    return this.#holders;
  }

  add(index: number, entry: Entry | null, floor: Version | null): void {
    this.heard.add(index);
    if (floor && isNewer(floor, this.#floor ?? undefined)) this.#floor = floor;
    const known = this.#versions[index];
    // Answers to a resent question may overtake each other: a replica never goes back.
    if (known && (entry === null || compareVersions(entry.version, known) < 0)) return;
    this.#versions[index] = entry?.version ?? null;
    if (entry === null) return;
    if (isNewer(entry.version, this.#newest?.version)) {
      this.#newest = entry;
      this.#holders = new Tally(this.#once);
    }
    if (compareVersions(entry.version, this.#newest!.version) === 0) this.#holders.add(index);
  }

  /** Answered, with something older than `version` or with nothing. */
  isBehind(index: number, version: Version): boolean {
    const known = this.#versions[index];
    return known === null || (known !== undefined && compareVersions(known, version) < 0);
  }

  /** A version newer than all that was heard of, the floors of collected tombstones included. */
  nextVersion(operation: number, by: string): Version {
    const at = Math.max(this.#newest?.version.at ?? 0, this.#floor?.at ?? 0) + 1;
    return { at, count: operation, by };
  }
}
