/**
 * The list of one service as a caller keeps it. Changes are taken once and in order, by their
 * revisions; what does not follow is refused, and the whole list asked for. A list that is incomplete
 * adds to what is known and takes nothing away.
 */
import type { Micros, NodeId, Timer } from '../../../host/host.ts';
import type { Targets } from '../../../path/caller.ts';
import type { Changes, Entry, Listing } from './messages.ts';

export class Followed {
  readonly service: string;
  /** Which life of which registry the revision is of. */
  epoch = '';
  revision = 0;
  isAsking = false;
  isFetching = false;
  failedCount = 0;
  timer: Timer | undefined;
  /** Calls to it have failed since then, all of them. */
  failingSince: Micros | undefined;
  fetchedAt: Micros = Number.NEGATIVE_INFINITY;
  /** Who waits until somebody is known. */
  readonly waiting = new Set<() => void>();
  readonly #entries = new Map<NodeId, Entry>();
  readonly #followers: ((releases: Targets['releases']) => void)[] = [];
  #isComplete = false;

  constructor(service: string) {
    this.service = service;
  }

  /** Somebody serves it, or it is certain that nobody does. */
  get isKnown(): boolean {
    return this.#entries.size > 0 || this.#isComplete;
  }

  /** A registry said that nobody is missing. */
  get isComplete(): boolean {
    return this.#isComplete;
  }

  lists(node: NodeId): boolean {
    return this.#entries.has(node);
  }

  get entries(): readonly Entry[] {
    return [...this.#entries.values()];
  }

  follow(changed: (releases: Targets['releases']) => void): void {
    this.#followers.push(changed);
    if (this.isKnown) changed(this.#releases());
  }

  /** What comes next is taken to be from another registry. */
  forgetPlace(): void {
    this.epoch = '';
    this.revision = 0;
  }

  /** False when something between what is known and this is missing. */
  take(news: Listing | Changes): boolean {
    if (news.type === 'listing') return this.#takeListing(news);
    if (news.epoch !== this.epoch || news.after > this.revision) return false;
    this.#isComplete ||= news.complete;
    for (const change of news.changes) {
      // A copy, or told again because our word was lost.
      if (change.revision <= this.revision) continue;
      this.revision = change.revision;
      if ('put' in change) this.#entries.set(change.put.node, change.put);
      else this.#entries.delete(change.drop);
    }
    this.#tell();
    return true;
  }

  #takeListing({ epoch, revision, complete, entries }: Listing): boolean {
    // Overtaken by changes that were sent after it.
    if (epoch === this.epoch && revision < this.revision) return true;
    if (complete) this.#entries.clear();
    this.epoch = epoch;
    this.revision = revision;
    this.#isComplete = complete;
    for (const entry of entries) this.#entries.set(entry.node, entry);
    this.#tell();
    return true;
  }

  #tell(): void {
    const releases = this.#releases();
    for (const changed of this.#followers) changed(releases);
    if (this.isKnown) for (const go of [...this.waiting]) go();
  }

  /** Those who are well; all of them when nobody is, since one that only fails its checks may serve. */
  #releases(): Targets['releases'] {
    const all = this.entries;
    const well = all.filter(({ status }) => status === 'up');
    const releases: Record<string, { readonly node: NodeId; readonly zone: string }[]> = {};
    for (const { release, node, zone } of well.length > 0 ? well : all) {
      releases[release] = [...(releases[release] ?? []), { node, zone }];
    }
    return releases;
  }
}
