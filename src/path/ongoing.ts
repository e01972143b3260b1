/** A call on its way: what its stages keep of it. */
import type { Micros, Timer } from '../host/host.ts';
import type { Stream } from '../host/stream.ts';
import type { WebReply, WebRequest } from '../host/web.ts';
import type { Breaker } from '../parts/breaker.ts';
import type { Instance } from './instance.ts';
import type { Side } from './roster.ts';

/** What a caller asks for: a request without what each hop adds. */
export type Asked = Omit<WebRequest, 'type' | 'id' | 'timeoutUs'>;

/** Field by field, as below: these are made for every request, and a spread costs many times as much. */
export function askedOf(
  {
    method,
    url,
    headers,
    body,
    inlet,
  }: Pick<Asked, 'method' | 'url' | 'headers' | 'body' | 'inlet'>,
  ip: string,
  session: string | undefined,
): Asked {
  if (inlet) return { method, url, headers, body, ip, session, inlet };
  return { method, url, headers, body, ip, session };
}

export function requestOf(id: number, asked: Asked, timeoutUs: Micros): WebRequest {
  const { method, url, headers, body, ip, session, inlet } = asked;
  if (inlet) {
    return { type: 'request', id, method, url, headers, body, ip, session, timeoutUs, inlet };
  }
  return { type: 'request', id, method, url, headers, body, ip, session, timeoutUs };
}

/** Why there is no reply. `full`: the bulkhead; `open`: a breaker; `paced`: all instances are at their pace. None sent anything. */
export type Why = 'timeout' | 'refused' | 'reset' | 'no-target' | 'full' | 'open' | 'paced';

export type Outcome =
  | {
      readonly ok: true;
      readonly reply: WebReply;
      /** Kept from before, or of a backup: what the service itself would say is not known. */
      readonly standsIn?: true;
    }
  | {
      readonly ok: false;
      readonly why: Why;
      readonly certain: boolean;
      /** After which asking again may be worth it. */
      readonly retryAfterUs?: Micros | undefined;
    };

export type Done = (outcome: Outcome) => void;

/** One request that was sent and is waited for. */
export interface Attempt {
  /** Of its request. */
  readonly id: number;
  readonly instance: Instance;
  /** What let it pass, if anything did, and the permit that it gave. */
  readonly breaker: Breaker | undefined;
  readonly permit: number;
  readonly sentAt: Micros;
  /** Carries a body that flows. */
  stream: Stream | undefined;
}

/** What a call holds a place in. */
export interface Place {
  /** It has ended, or waits no more. */
  leave(call: Ongoing): void;
}

export class Ongoing {
  readonly asked: Asked;
  readonly until: Micros;
  readonly done: Done;
  /** What is served by the same instance again, where the balancer heeds it. */
  readonly key: string | undefined;
  /** Begun so far; a hedge is none of them. */
  attempts = 0;
  /** An attempt may have taken effect. */
  doubted = false;
  /** Answered or given up: nothing more may happen to it. */
  isOver = false;
  failedAt: Instance | undefined = undefined;
  /** What is waited for: one attempt, and perhaps a second beside it. */
  current: Attempt | undefined = undefined;
  second: Attempt | undefined = undefined;
  /** Of a split. */
  side: Side | undefined = undefined;
  place: Place | undefined = undefined;
  /** Before a retry. */
  pause: Timer | undefined = undefined;
  /** Of a hedge, or in a queue; 0: none. */
  alarm = 0;

  constructor(asked: Asked, until: Micros, key: string | undefined, done: Done) {
    this.asked = asked;
    this.until = until;
    this.key = key;
    this.done = done;
  }
}
