/**
 * One request on its way through a gateway, and the stages that it passes.
 *
 *   request ─▶ enter ─▶ enter ─▶ … ─▶ service        a stage lets a visit pass, answers it, or holds it
 *   reply   ◀─ leave ◀─ leave ◀─ … ◀─┘               each stage that was entered is left, last first
 */
import type { Address, Micros } from '../../../host/host.ts';
import type { Inlet } from '../../../host/stream.ts';
import type { WebReply, WebRequest } from '../../../host/web.ts';
import type { RouteConfig } from './config.ts';
import type { Match } from './router.ts';

/** A reply without what each hop adds. */
export type Parts = Pick<WebReply, 'status' | 'headers' | 'body' | 'inlet'>;

/** Who asks, once somebody vouched for it. */
export interface Identity {
  readonly user: string;
  /** Empty: none. */
  readonly tier: string;
}

export interface Visit {
  readonly from: Address;
  readonly request: WebRequest;
  readonly startedAt: Micros;
  /** Undefined: no route takes it. */
  readonly route: RouteConfig | undefined;
  /** Undefined where one route takes everything. */
  readonly match: Match | undefined;
  readonly stages: readonly Stage[];
  /** Stages entered. */
  stageCount: number;
  /** As they go on to the service. */
  headers: readonly string[];
  /** Its body as it goes on, where it flows. */
  inlet: Inlet | undefined;
  identity: Identity | undefined;
  /** For the reply: what `RateLimit-Policy` and `RateLimit` say. */
  limitRules: string;
  limitStates: string;
  /** Its number, as its reply says it; empty: it has none. */
  number: string;
  /** What its stages took for it, and give back when they are left. */
  readonly places: Taken[];
  /** It is held for its caller, and can be given up. */
  isHeld: boolean;
  isGone: boolean;
  /** What is under way for it: set once it was sent on, or waits. */
  giveUp: (() => void) | undefined;
}

/** A place among so many at once. */
export interface Taken {
  readonly by: Stage;
  readonly of: { leave(key: string): void };
  readonly key: string;
}

export interface Stage {
  /** Undefined: it may pass. `held`: `resume` is called later, unless it is gone by then. */
  enter(visit: Visit, resume: Resume): Parts | 'held' | undefined;
  /** Once for each visit that entered, also when it is given up: then without a reply. */
  leave?(visit: Visit, reply: Parts | undefined): Parts | undefined;
}

/** Goes on with a visit that was held, or answers it; nothing where it is over. */
export type Resume = (visit: Visit, reply?: Parts) => void;

const plainHeaders: readonly string[] = ['content-type', 'text/plain'];

export function plain(status: number, body: string, headers: readonly string[] = []): Parts {
  return {
    status,
    headers: headers.length === 0 ? plainHeaders : [...plainHeaders, ...headers],
    body,
  };
}

/** Whole seconds, rounded up: who comes back then is not refused for a fraction. */
export function secondsOf(us: Micros): string {
  return String(Math.ceil(us / 1_000_000));
}
