/**
 * What a traced run tells: the way of single requests, and the messages between nodes. A simulation
 * repeats exactly, so nothing of this is kept while a run is watched: whoever asks later gets it
 * from a second run of the same seed, with the recorder on for the span that was asked for.
 *
 * Times are microseconds since the load began.
 */
import type { Micros, NodeId } from '../host/host.ts';

/** One request of a user. */
export interface RequestRow {
  /** Which, in the order of their beginning: the same in every run of this seed. */
  readonly index: number;
  /** `GET /abc`. */
  readonly what: string;
  readonly startUs: Micros;
  /** Null while it has no end. */
  readonly latencyUs: Micros | null;
  /** `ok`, `timeout`, `status 503`. */
  readonly outcome: string;
}

/** The requests of a run that are worth a look, and how many there were to choose from. */
export interface RequestSample {
  /** Of those that were answered, the slowest first. */
  readonly slowest: readonly RequestRow[];
  readonly answeredCount: number;
  /** The first that failed or had no end, in the order of their beginning. */
  readonly failed: readonly RequestRow[];
  readonly failedCount: number;
}

/** One attempt to get something from another node, on behalf of a request. */
export interface Span {
  readonly id: number;
  /** Null for the user's own. */
  readonly parent: number | null;
  readonly from: NodeId;
  readonly to: NodeId;
  /** The block that is asked. */
  readonly block: string;
  /** The message in one line, as the block describes it. */
  readonly what: string;
  readonly sentAt: Micros;
  /** Null: it never arrived. */
  readonly arrivedAt: Micros | null;
  /** When the reply left; null: there was none. */
  readonly repliedAt: Micros | null;
  /** When the caller knew: by the reply, a timeout, a refusal. Null: it no longer waited. */
  readonly endedAt: Micros | null;
  /** Within arrived..replied: waiting for a core or slot, and working on one. */
  readonly queuedUs: Micros;
  readonly servedUs: Micros;
  /** `abandoned`: the caller gave up, the work went on. */
  readonly outcome: 'ok' | 'error' | 'timeout' | 'refused' | 'reset' | 'lost' | 'abandoned';
  /** 1 for the first; 2 and more are retries of the same call. */
  readonly attempt: number;
}

export interface Waterfall {
  readonly request: RequestRow;
  /** Parents before children. */
  readonly spans: readonly Span[];
  /** A request may set off more than anybody can look at: how many more spans there were. */
  readonly leftOut: number;
}

export interface MessageRow {
  readonly from: NodeId;
  readonly to: NodeId;
  /** The block whose program gets it. */
  readonly block: string;
  readonly what: string;
  readonly sentAt: Micros;
  /** Null: lost, cut off, refused, or the receiver was down. */
  readonly arrivedAt: Micros | null;
  readonly fate: 'delivered' | 'lost' | 'cut' | 'refused' | 'twice';
  /** It came after its sender had given the call up. */
  readonly late: boolean;
}

/** Which messages: those under way between two instants. */
export interface MessageQuery {
  readonly fromUs: Micros;
  readonly toUs: Micros;
  /** Nodes, or blocks for all of theirs: messages among them; of a single node, all that it sends and gets. */
  readonly nodes?: readonly string[] | undefined;
  /** From or to a program of these. */
  readonly blocks?: readonly string[] | undefined;
  readonly maxCount: number;
}

export interface MessageWindow {
  readonly fromUs: Micros;
  readonly toUs: Micros;
  readonly messages: readonly MessageRow[];
  /** More than were asked for happened: how many were left out at the end. */
  readonly leftOut: number;
}
