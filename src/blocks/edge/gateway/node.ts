/**
 * The gateway's program: one door for users, services behind it.
 *
 *   user ──request──▶ limit → route → (deadline, retry, balance …: path/caller) ──▶ service
 *   user ◀── reply ───────────────────────────────────────────────────────────────┘
 *
 * Every request is answered, whatever becomes of the service: 404 no route, 413 too large, 429 over
 * the limit, 502 broken off, 503 nobody there or too busy, 504 too late.
 */
import { control, type ToProgram } from '../../../host/control.ts';
import type { Address, Handlers, Host, Micros } from '../../../host/host.ts';
import {
  isWebFailure,
  type WebMessage,
  type WebReply,
  type WebRequest,
} from '../../../host/web.ts';
import { Caller, type Outcome } from '../../../path/caller.ts';
import { Calls } from '../../../path/calls.ts';
import { Inbox } from '../../../path/inbox.ts';
import type { DoorConfig } from './config.ts';
import { KeyedLimit } from './limit.ts';
import { Router } from './router.ts';

/** A request that is held until it is answered or given up. */
interface Visit {
  isGone: boolean;
  /** Set once it was sent on. */
  giveUp: (() => void) | undefined;
}

export function door(host: Host, config: DoorConfig): Handlers<WebMessage | ToProgram> {
  const router = new Router(config.routes);
  const limit = config.limit ? new KeyedLimit(config.limit) : undefined;
  const calls = new Calls<WebReply>(host, { failed: isWebFailure });
  const { policy } = config;
  const callers = new Map(
    Object.entries(config.targets).map(([service, targets]) => {
      const random = host.random.fork(service);
      return [service, new Caller({ host, calls, policy, targets, random })];
    }),
  );
  const requests = host.meter.counter('requests');
  const errors = host.meter.counter('errors');
  const refused = host.meter.counter('refused');
  const abandoned = host.meter.counter('abandoned');
  const retries = host.meter.gauge('retries');
  const latency = host.meter.histogram('latency');
  const queue = host.meter.gauge('queue');
  const open = new Inbox<Visit>();
  let whenIdle: (() => void) | undefined;

  function retryCount(): number {
    let sum = 0;
    for (const caller of callers.values()) sum += caller.retryCount;
    return sum;
  }

  function accept(from: Address, request: WebRequest): void {
    if (!open.isNew(from, request.id)) return;
    requests.add();
    const startedAt = host.now();
    const turnedAway = admit(request, startedAt);
    if (turnedAway) {
      refused.add();
      return answer(from, request.id, turnedAway);
    }
    const route = router.match(request.url);
    const caller = route && callers.get(route.service);
    if (!caller) return answer(from, request.id, plain(404, 'no route'));
    const deadlineAt = request.timeoutUs === undefined ? undefined : startedAt + request.timeoutUs;
    const visit: Visit = { isGone: false, giveUp: undefined };
    open.hold(from, request.id, visit);
    queue.set(open.count);
    host.cpu.charge(config.costUs, () => {
      if (!visit.isGone) forward(from, request, caller, startedAt, deadlineAt, visit);
    });
  }

  function forward(
    from: Address,
    request: WebRequest,
    caller: Caller,
    startedAt: Micros,
    deadlineAt: Micros | undefined,
    visit: Visit,
  ): void {
    const { id, method, url, body, ip, session } = request;
    const asked = { method, url, headers: forwarded(request), body, ip, session };
    visit.giveUp = caller.call(asked, deadlineAt, (outcome) => {
      open.take(from, id);
      retries.set(retryCount());
      latency.record(host.now() - startedAt);
      const parts = outcome.ok ? outcome.reply : failure(outcome);
      if (parts.status >= 500) errors.add();
      answer(from, id, parts);
      left();
    });
  }

  /** The user went away: nobody waits for what is under way. */
  function abandon(visit: Visit | undefined): void {
    if (!visit) return;
    abandoned.add();
    visit.isGone = true;
    visit.giveUp?.();
    left();
  }

  function left(): void {
    queue.set(open.count);
    if (open.count === 0) whenIdle?.();
  }

  /** Why a request goes no further, or undefined. */
  function admit(request: WebRequest, now: number): Parts | undefined {
    if (whenIdle) return plain(503, 'draining');
    if (open.count >= config.openMax) return plain(503, 'too busy');
    if (isLonger(request.body, config.bodyMaxBytes)) return plain(413, 'body too large');
    if (!limit || !config.limit) return undefined;
    const verdict = limit.take(config.limit.by === 'ip' ? request.ip : '', now);
    if (verdict.allowed) return undefined;
    const seconds = String(Math.ceil(verdict.retryAfterUs / 1e6));
    return { status: 429, headers: [...plainHeaders, 'retry-after', seconds], body: 'slow down' };
  }

  function answer(to: Address, id: number, { status, headers, body }: Parts): void {
    host.send(to, { type: 'reply', id, status, headers, body } satisfies WebReply);
  }

  return {
    message(from, message) {
      switch (message.type) {
        case 'request':
          return accept(from, message);
        case 'reply':
          return calls.settle(message.id, message);
        case 'cancel':
          return abandon(open.take(from, message.id));
        case 'shift':
          if (from.node === control.node) callers.get(message.service)?.shift(message.traffic);
      }
    },
    refused: (_to, message) => calls.refused((message as WebMessage).id),
    disconnected(node) {
      calls.disconnected(node);
      for (const visit of open.takeAllOf(node)) abandon(visit);
    },
    drain(done) {
      whenIdle = done;
      if (open.count === 0) done();
    },
  };
}

/**
 * The user's address goes along as `x-forwarded-for`. One that came with the request is replaced:
 * anybody can write one, and the edge has already believed those that it trusts.
 */
function forwarded({ headers, ip }: WebRequest): readonly string[] {
  if (ip === '') return headers;
  if (headers.length === 0) return ['x-forwarded-for', ip];
  const sent: string[] = [];
  for (let i = 0; i < headers.length; i += 2) {
    if (headers[i] !== 'x-forwarded-for') sent.push(headers[i]!, headers[i + 1]!);
  }
  sent.push('x-forwarded-for', ip);
  return sent;
}

/** Counted in bytes; a letter takes one to three of them, so mostly its length says enough. */
function isLonger(body: WebRequest['body'], maxBytes: number): boolean {
  if (body === null || body.length * 3 <= maxBytes) return false;
  const size = typeof body === 'string' ? new TextEncoder().encode(body).length : body.length;
  return size > maxBytes;
}

interface Parts {
  readonly status: number;
  readonly headers: readonly string[];
  readonly body: Uint8Array | string | null;
}

const plainHeaders = ['content-type', 'text/plain'];

function plain(status: number, body: string): Parts {
  return { status, headers: plainHeaders, body };
}

function failure(outcome: Outcome & { ok: false }): Parts {
  switch (outcome.why) {
    case 'timeout':
      return plain(504, 'the service did not answer in time');
    case 'reset':
      return plain(502, 'the service broke off');
    default:
      return plain(503, 'no instance of the service can be reached');
  }
}
