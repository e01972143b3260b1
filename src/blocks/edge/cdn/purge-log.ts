/**
 * Who has applied which purge, and until when who has not may serve. Pure: the log's program sends.
 *
 *   purge 7 ──▶ step 0 applies 7, or its leases end ──▶ step 1 applies 7, or its leases end ──▶ … purged
 *
 * Step by step from the origin: an edge that was purged before its shield would fetch the old one from
 * there, and keep it. An edge serves what is stored only within a lease, which it gets with the news; so who was cut off
 * or down is either heard of, or serves nothing stored: there is no third case.
 */
import type { Micros, NodeId } from '../../../host/host.ts';
import type { Purge } from '../../../parts/http-cache.ts';

interface Member {
  /** How far from the origin. */
  readonly step: number;
  /** Of its last question: one that comes late, or twice, is from when it knew less. */
  readonly poll: number;
  /** Applied. */
  version: number;
  /** Sent: it is not sent again unasked. Without that, answers to news would bring news, in ever greater numbers. */
  told: number;
  /** It may serve until then, whatever it has applied. */
  leasedUntil: Micros;
}

export interface News {
  readonly version: number;
  readonly purges: readonly Purge[];
  readonly all: boolean;
}

export interface Polled {
  /** Grows with each question of a node, over its lives. */
  readonly poll: number;
  /** Applied; -1: it has just started, and is empty. */
  readonly version: number;
  readonly step: number;
}

export interface PurgeLogOptions {
  readonly leaseUs: Micros;
  readonly logMax: number;
  /** Leases that a former life of the log may have given end by then. */
  readonly formerUntil: Micros;
}

/** Clocks of two nodes may run apart by this much; real ones differ by a thousandth of it. */
const driftRatio = 0.05;

export class PurgeLog {
  readonly #options: PurgeLogOptions;
  readonly #members = new Map<NodeId, Member>();
  #purges: Purge[] = [];
  /** Of the first that is still remembered. */
  #first = 1;

  constructor(options: PurgeLogOptions) {
    this.#options = options;
  }

  /** Of the last purge. */
  get version(): number {
    return this.#first + this.#purges.length - 1;
  }

  /** Returns its version. */
  add(purge: Purge): number {
    this.#purges.push(purge);
    const surplus = this.#purges.length - this.#options.logMax;
    // A half at once, so that moving the rest costs nothing to speak of.
    if (surplus > this.#options.logMax / 2) {
      this.#purges = this.#purges.slice(surplus);
      this.#first += surplus;
    }
    return this.version;
  }

  /** The last `logMax`, for a journal that is written anew. */
  remembered(): { readonly first: number; readonly purges: readonly Purge[] } {
    return { first: this.#first, purges: this.#purges };
  }

  recover(first: number, purges: readonly Purge[]): void {
    this.#first = first;
    this.#purges = [...purges];
  }

  /** A member says how far it is. What it is told, with a lease from now on; nothing to what is old. */
  polled(node: NodeId, asked: Polled, now: Micros): News | undefined {
    const { poll, version, step } = asked;
    if ((this.#members.get(node)?.poll ?? -1) >= poll) return undefined;
    const leasedUntil = now + Math.ceil(this.#options.leaseUs * (1 + driftRatio));
    const member = { step, poll, version, told: version, leasedUntil };
    this.#members.set(node, member);
    if (version >= 0) return this.#newsFor(member, this.#appliedBefore(step, now));
    // It has just started: what is empty has applied everything there was.
    member.version = this.#appliedBefore(step, now);
    member.told = member.version;
    return { version: member.version, purges: [], all: false };
  }

  #newsFor(member: Member, upTo: number): News {
    const { version } = member;
    member.told = Math.max(version, upTo);
    if (version >= upTo) return { version, purges: [], all: false };
    if (version + 1 < this.#first) return { version: upTo, purges: [], all: true };
    const from = version + 1 - this.#first;
    return { version: upTo, purges: this.#purges.slice(from, upTo + 1 - this.#first), all: false };
  }

  /** Who is to hear something now that he was not told before. */
  tell(now: Micros): readonly { readonly node: NodeId; readonly news: News }[] {
    const told: { readonly node: NodeId; readonly news: News }[] = [];
    const steps = new Map<number, number>();
    for (const [node, member] of this.#members) {
      if (member.leasedUntil <= now) continue;
      const upTo = steps.get(member.step) ?? this.#appliedBefore(member.step, now);
      steps.set(member.step, upTo);
      if (upTo <= member.told) continue;
      told.push({ node, news: this.#newsFor(member, upTo) });
    }
    return told;
  }

  /** Up to which version nobody serves what was purged. */
  purgedVersion(now: Micros): number {
    return this.#appliedBefore(Number.POSITIVE_INFINITY, now);
  }

  /** How many members have applied `version`. */
  countOf(version: number): number {
    let count = 0;
    for (const member of this.#members.values()) if (member.version >= version) count++;
    return count;
  }

  /** When a lease that holds something up ends; undefined when none does. */
  nextEnd(now: Micros): Micros | undefined {
    let next: Micros | undefined;
    const note = (at: Micros): void => {
      if (at > now && (next === undefined || at < next)) next = at;
    };
    note(this.#options.formerUntil);
    for (const { version, leasedUntil } of this.#members.values()) {
      if (version < this.version) note(leasedUntil);
    }
    return next;
  }

  /** What everybody has applied that is nearer to the origin than `step`. */
  #appliedBefore(step: number, now: Micros): number {
    // Who there is, and with which lease, a former life of the log knew.
    if (step > 0 && now < this.#options.formerUntil) return 0;
    let applied = this.version;
    for (const { step: at, version, leasedUntil } of this.#members.values()) {
      if (at >= step || leasedUntil <= now) continue;
      applied = Math.min(applied, version);
    }
    return applied;
  }
}
