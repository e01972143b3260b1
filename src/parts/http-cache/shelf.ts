/**
 * The stored responses, within a budget of bytes: beyond it the one used longest ago goes.
 *
 *   resource ──▶ variants, the newest first      found by what they vary with
 *   tag      ──▶ variants                        for purges
 *   LRU over all variants
 *
 * A purge by prefix or age looks at every entry: a few million a second.
 */
import type { Micros } from '../../host/host.ts';
import { Lru } from '../lru.ts';
import type { Fields } from './fields.ts';
import type { CacheReply, Freshness } from './freshness.ts';
import { selectionOf } from './key.ts';

export interface Stored {
  readonly resource: string;
  readonly extra: string;
  /** Names of headers, sorted, and what the request had there. */
  readonly vary: readonly string[];
  readonly selection: string;
  readonly reply: CacheReply;
  readonly freshness: Freshness;
  /** Both on the clock of whoever asks. */
  readonly askedAt: Micros;
  readonly storedAt: Micros;
  readonly tags: readonly string[];
  readonly bytes: number;
  /** False once it was replaced, purged or had to make room. */
  isHeld: boolean;
}

export function ageOf({ freshness, storedAt }: Stored, now: Micros): Micros {
  return freshness.initialAgeUs + Math.max(0, now - storedAt);
}

/** What is to be removed. Tags and addresses are whole; a prefix is the beginning of an address. */
export type Purge =
  | { readonly by: 'url'; readonly url: string }
  | { readonly by: 'prefix'; readonly prefix: string }
  | { readonly by: 'tag'; readonly tag: string }
  /** What has been kept for longer than this: retention. */
  | { readonly by: 'age'; readonly ageUs: Micros }
  | { readonly by: 'all' };

/** Of what was kept for so long, at an address as the cache knows it. */
export function isMeant(
  purge: Purge,
  kept: {
    readonly resource: string;
    readonly tags: readonly string[];
    readonly keptUs: Micros;
  },
): boolean {
  switch (purge.by) {
    case 'url':
      return kept.resource === purge.url;
    case 'prefix':
      return kept.resource.startsWith(purge.prefix);
    case 'tag':
      return kept.tags.includes(purge.tag);
    case 'age':
      return kept.keptUs > purge.ageUs;
    case 'all':
      return true;
  }
}

export interface ShelfOptions {
  readonly capacityBytes: number;
  readonly variantsMax: number;
}

/** What an entry takes besides its texts and bytes: objects, links, places in maps. */
const overheadBytes = 400;

export function bytesOf(resource: string, { headers, body }: CacheReply): number {
  let bytes = overheadBytes + resource.length + (body?.length ?? 0);
  for (const text of headers) bytes += text.length;
  return bytes;
}

export class Shelf {
  readonly #options: ShelfOptions;
  readonly #resources = new Map<string, Stored[]>();
  readonly #tagged = new Map<string, Set<Stored>>();
  readonly #used: Lru<Stored, null>;
  #bytes = 0;
  evictedCount = 0;

  constructor(options: ShelfOptions) {
    this.#options = options;
    this.#used = new Lru({ entriesMax: 2 ** 31 - 2 });
  }

  get count(): number {
    return this.#used.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  find(resource: string, extra: string, headers: Fields): Stored | undefined {
    const stored = this.#resources.get(resource)?.find((one) => matches(one, extra, headers));
    if (stored) this.#used.get(stored);
    return stored;
  }

  /** What its variants vary with, as far as it is known. */
  varyOf(resource: string, extra: string): readonly string[] {
    return this.#resources.get(resource)?.find((one) => one.extra === extra)?.vary ?? [];
  }

  /** False when it is larger than the whole shelf, or older than what is there. */
  put(stored: Stored): boolean {
    if (stored.bytes > this.#options.capacityBytes) return false;
    const variants = this.#resources.get(stored.resource) ?? [];
    const twin = variants.find(
      (one) =>
        one.extra === stored.extra &&
        one.selection === stored.selection &&
        one.vary.join() === stored.vary.join(),
    );
    if (twin && twin.askedAt > stored.askedAt) return false;
    if (twin) this.remove(twin);
    else if (variants.length >= this.#options.variantsMax) this.remove(variants.at(-1)!);
    const kept = this.#resources.get(stored.resource);
    if (kept) kept.unshift(stored);
    else this.#resources.set(stored.resource, [stored]);
    for (const tag of stored.tags) {
      const tagged = this.#tagged.get(tag);
      if (tagged) tagged.add(stored);
      else this.#tagged.set(tag, new Set([stored]));
    }
    this.#used.set(stored, null);
    this.#bytes += stored.bytes;
    while (this.#bytes > this.#options.capacityBytes) {
      this.evictedCount++;
      this.remove(this.#used.oldest()!);
    }
    return true;
  }

  remove(stored: Stored): void {
    if (!stored.isHeld) return;
    stored.isHeld = false;
    this.#used.delete(stored);
    this.#bytes -= stored.bytes;
    const variants = this.#resources.get(stored.resource)!;
    variants.splice(variants.indexOf(stored), 1);
    if (variants.length === 0) this.#resources.delete(stored.resource);
    for (const tag of stored.tags) {
      const tagged = this.#tagged.get(tag)!;
      tagged.delete(stored);
      if (tagged.size === 0) this.#tagged.delete(tag);
    }
  }

  /** How many went. */
  purge(purge: Purge, now: Micros): number {
    const gone = this.#matching(purge, now);
    for (const stored of gone) this.remove(stored);
    return gone.length;
  }

  #matching(purge: Purge, now: Micros): readonly Stored[] {
    switch (purge.by) {
      case 'url':
        return [...(this.#resources.get(purge.url) ?? [])];
      case 'tag':
        return [...(this.#tagged.get(purge.tag) ?? [])];
      default:
        return this.#all().filter(({ resource, tags, storedAt }) =>
          isMeant(purge, { resource, tags, keptUs: now - storedAt }),
        );
    }
  }

  #all(): Stored[] {
    return [...this.#resources.values()].flat();
  }
}

export function matches(stored: Stored, extra: string, headers: Fields): boolean {
  if (stored.extra !== extra) return false;
  return stored.vary.length === 0 || stored.selection === selectionOf(headers, stored.vary);
}
