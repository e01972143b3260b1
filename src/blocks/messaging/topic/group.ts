/**
 * A consumer group as one broker sees it: who is in it, whose partition is whose, and what is out
 * for processing.
 *
 *   partition   0   1   2   3   4   5        owner = members[partition % count], members sorted
 *   members     a   b   c   a   b   c        b leaves:   a c a c a c
 *
 * Brokers need not talk: by the partition's number, each comes to the same balance from the same
 * members. A partition changes hands only between batches, or when its member is gone.
 *
 * Each delivery has a generation, a number that no other delivery of this topic ever has. Only the
 * last one can be committed, so a member that stood still and comes back can't commit (or undo)
 * what others went on with.
 */
import type { Micros, NodeId } from '../../../host/host.ts';

export interface Member {
  readonly node: NodeId;
  readonly port: string;
  readonly life: number;
  heardAt: Micros;
}

/** A batch out at a member. */
export interface Flight {
  readonly generation: number;
  readonly member: Member;
  readonly from: number;
  readonly to: number;
  /** Times that the member said what it works on and did not name this. */
  missedCount: number;
  /** Its commit is being written. */
  committing: boolean;
}

export class Cursor {
  readonly partition: number;
  /** Committed: the offset of the next message to deliver. */
  position: number;
  flight: Flight | undefined;
  /** The last generation that was committed: a repeated commit of it is told so. */
  committedGeneration = 0;
  /** Failures in a row. */
  failedCount = 0;
  /** Moves on with each run that took too long, so that a stuck member does not keep the partition. */
  rotation = 0;
  /** Not delivered before this instant: after a failure. */
  heldUntil: Micros = 0;
  /** The offset at which damage stops it, which was noted. */
  damagedAt: number | undefined;
  /** Replays being written: nothing is delivered before the last of them has decided. */
  replayingCount = 0;
  /** Until when the first message of the next batch waits for others. */
  lingersUntil: Micros | undefined;
  /** Highest offset ever delivered: below it, a delivery is a redelivery. */
  reach: number;

  constructor(partition: number, position: number) {
    this.partition = partition;
    this.position = position;
    this.reach = position;
  }
}

export class Group {
  readonly name: string;
  readonly cursors = new Map<number, Cursor>();
  readonly #members = new Map<NodeId, Member>();
  #sorted: readonly Member[] = [];

  constructor(name: string) {
    this.name = name;
  }

  get members(): readonly Member[] {
    return this.#sorted;
  }

  member(node: NodeId): Member | undefined {
    return this.#members.get(node);
  }

  add(member: Member): void {
    this.#members.set(member.node, member);
    this.#sort();
  }

  remove(node: NodeId): void {
    this.#members.delete(node);
    this.#sort();
  }

  expired(now: Micros, sessionTimeoutUs: Micros): readonly Member[] {
    return this.#sorted.filter((member) => now - member.heardAt >= sessionTimeoutUs);
  }

  ownerOf(cursor: Cursor): Member | undefined {
    const count = this.#sorted.length;
    return count === 0 ? undefined : this.#sorted[(cursor.partition + cursor.rotation) % count];
  }

  #sort(): void {
    this.#sorted = [...this.#members.values()].sort((a, b) => (a.node < b.node ? -1 : 1));
  }
}
