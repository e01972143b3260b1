/**
 * The gateway's program: one door for users, services behind it.
 *
 *   user ──request──▶ route? ─▶ stages … ─▶ (deadline, retry, balance …: path/caller) ──▶ service
 *   user ◀── reply ──────────── stages … ◀────────────────────────────────────────────────┘
 *
 * Every request is answered, whatever becomes of the service: 404 no route, 405 not with this method,
 * 413 too large, 429 over the limit, 502 broken off, 503 nobody there or too busy, 504 too late.
 */
import { mayControl, type ToProgram } from '../../../host/control.ts';
import type { ProgramCode } from '../../../host/declaration.ts';
import type { Address, Handlers, Host, Micros } from '../../../host/host.ts';
import type { Inlet } from '../../../host/stream.ts';
import {
  asksIfAlive,
  isUpgrade,
  isWebFailure,
  type WebMessage,
  type WebReply,
  type WebRequest,
} from '../../../host/web.ts';
import { configure } from '../../../kit/config.ts';
import type { Purge } from '../../../parts/http-cache.ts';
import { limited } from '../../../parts/stream.ts';
import {
  type Asked,
  Caller,
  type ForCallers,
  isForCallers,
  type Outcome,
} from '../../../path/caller.ts';
import { Calls } from '../../../path/calls.ts';
import { type Way, wayTo } from '../../../path/directory.ts';
import type { Keeping } from '../../../path/fallback.ts';
import { Inbox } from '../../../path/inbox.ts';
import { intermediary, Replies } from '../../../path/intermediary.ts';
import type { PathPolicy } from '../../../path/policy.ts';
import type { PurgeMessage } from '../../../path/purges.ts';
import { ReplyCache } from '../../../path/reply-cache.ts';
import { Compressor } from './compress.ts';
import { type AggregateConfig, type DoorConfig, type RouteConfig, socketsKnobs } from './config.ts';
import { gather } from './gathering.ts';
import { asGrpc, grpcTimeoutUs, isGrpc } from './grpc.ts';
import { withoutHeaders } from './headers.ts';
import { redirected, rewritten, withHost } from './rewrite.ts';
import { Router } from './router.ts';
import { Sockets } from './sockets.ts';
import { makeStages } from './stages.ts';
import { type Parts, plain, type Visit } from './visit.ts';

const socketsDefault = configure('sockets', socketsKnobs, {}).config;

export function door(
  host: Host,
  config: DoorConfig,
  code: Pick<ProgramCode, 'open'>,
): Handlers<WebMessage | PurgeMessage | ToProgram> {
  const router = new Router(config.routes);
  const calls = new Calls<WebReply>(host, { failed: isWebFailure });
  // Whoever is known has what was kept for him, and nobody else has it.
  const apart = config.auth ? [config.auth.userHeader, config.auth.tierHeader] : [];
  const keeping = { apart, mayKeep: (): boolean => cache?.isInTouch ?? true };
  const callers = new Callers(host, config, calls, { open: code.open, keeping });
  const { stagesOf, strays, close } = makeStages(host, config, code.open, (service, path, done) => {
    const headers = ['accept', 'application/json'];
    const asked = { method: 'GET', url: `http://${service}${path}`, headers, body: null, ip: '' };
    callers.to(service).call(asked, undefined, (outcome) => {
      const isGood = outcome.ok && outcome.reply.status === 200;
      done(isGood ? textOf(outcome.reply.body) : undefined);
    });
  });

  const compressor = config.compress ? new Compressor(host, config.compress) : undefined;

  const cache = config.cache
    ? new ReplyCache(host, config.cache, {
        name: 'gateway',
        apart,
        purges: config.purges,
        purged: (purge) => callers.purge(purge),
      })
    : undefined;

  const requests = host.meter.counter('requests');
  const errors = host.meter.counter('errors');
  const refused = host.meter.counter('refused');
  const abandoned = host.meter.counter('abandoned');
  const retries = host.meter.gauge('retries');
  const latency = host.meter.histogram('latency');
  const queue = host.meter.gauge('queue');

  const open = new Inbox<Visit>();
  const replies = new Replies(host, left);
  let whenIdle: (() => void) | undefined;
  let isClosing = false;
  const sockets = new Sockets(host, config.sockets ?? socketsDefault, left);

  function accept(from: Address, request: WebRequest): void {
    if (asksIfAlive(request)) return beAlive(from, request.id);
    if (!open.isNew(from, request.id)) return;
    requests.add();
    const match = router.only ? undefined : router.match(request);
    const route = router.only ?? match?.route;
    const turnedAway = admit(request, route);
    if (turnedAway) {
      refused.add();
      tell(from, request, turnedAway);
      return request.inlet?.stream.reset();
    }
    const startedAt = host.now();
    const visit: Visit = {
      from,
      request,
      startedAt,
      route,
      match,
      stages: route ? stagesOf(route) : strays,
      stageCount: 0,
      headers: request.headers,
      inlet: request.inlet,
      identity: undefined,
      limitRules: '',
      limitStates: '',
      number: '',
      places: [],
      isHeld: false,
      isGone: false,
      giveUp: undefined,
    };
    advance(visit);
  }

  /** Of this node, and not of what is behind it. */
  function beAlive(from: Address, id: number): void {
    const isWell = !whenIdle && open.count < config.openMax;
    replies.send(
      from,
      id,
      isWell ? { status: 200, headers: [], body: null } : plain(503, 'too busy'),
    );
  }

  /** Why a request goes no further, or undefined. */
  function admit(request: WebRequest, route: RouteConfig | undefined): Parts | undefined {
    if (whenIdle) return plain(503, 'draining');
    if (open.count >= config.openMax) return plain(503, 'too busy');
    const bodyMaxBytes = route?.bodyMaxBytes ?? config.bodyMaxBytes;
    return isLonger(request.body, bodyMaxBytes) ? plain(413, 'body too large') : undefined;
  }

  /** Through the stages that are left, and on. */
  function advance(visit: Visit): void {
    const { stages } = visit;
    while (visit.stageCount < stages.length) {
      const verdict = stages[visit.stageCount++]!.enter(visit, resume);
      if (verdict === undefined) continue;
      if (verdict === 'held') return hold(visit);
      refused.add();
      return turnAway(visit, verdict);
    }
    const { route } = visit;
    if (!route) return turnAway(visit, astray(visit.request));
    if (route.to.type === 'redirect') return turnAway(visit, redirected(visit.match!, route.to));
    hold(visit);
    host.cpu.charge(config.costUs, () => {
      if (visit.isGone) return;
      const { to } = route;
      if (to.type === 'aggregate') compose(visit, route, to);
      else forward(visit, route, callers.of(route));
    });
  }

  function resume(visit: Visit, reply?: Parts): void {
    if (visit.isGone || open.get(visit.from, visit.request.id) !== visit) return;
    visit.giveUp = undefined;
    if (!reply) return advance(visit);
    refused.add();
    turnAway(visit, reply);
  }

  function hold(visit: Visit): void {
    if (visit.isHeld) return;
    visit.isHeld = true;
    open.hold(visit.from, visit.request.id, visit);
    queue.set(open.count);
  }

  function forward(visit: Visit, route: RouteConfig, caller: Way): void {
    const { request, match, startedAt } = visit;
    const { method, body, ip, session, timeoutUs } = request;
    const url = match ? rewritten(match) : request.url;
    const headers = withHost(forwarded(visit.headers, ip), route);
    if (visit.inlet && isUpgrade(request)) {
      const { inlet } = visit;
      return upgrade(visit, caller, { method, url, headers, body, ip, session, inlet });
    }
    const inlet = visit.inlet && within(visit, route, visit.inlet);
    const asked = { method, url, headers, body, ip, session, inlet };
    const patienceUs = isGrpc(request.headers)
      ? earlier(timeoutUs, grpcTimeoutUs(request))
      : timeoutUs;
    const deadlineAt = patienceUs === undefined ? undefined : startedAt + patienceUs;
    const { to } = route;
    if (cache && route.isCached && to.type === 'service' && !inlet) {
      visit.giveUp = cache.call(to.service, caller, asked, deadlineAt, (outcome, flow) => {
        served(visit, outcome.ok ? { ...outcome.reply, inlet: flow } : failure(outcome.failure));
      });
      return;
    }
    visit.giveUp = caller.call(asked, deadlineAt, (outcome) => {
      served(visit, outcome.ok ? outcome.reply : failure(outcome));
    });
  }

  /** To become a web socket, whose messages then pass without a look at them. */
  function upgrade(visit: Visit, caller: Way, asked: Asked): void {
    const passage = sockets.enter(asked.inlet!);
    if (!passage) {
      refused.add();
      return turnAway(visit, plain(503, 'too many sockets'));
    }
    const { startedAt, request } = visit;
    const deadlineAt = request.timeoutUs === undefined ? undefined : startedAt + request.timeoutUs;
    visit.giveUp = caller.call({ ...asked, inlet: passage }, deadlineAt, (outcome) => {
      const reply = outcome.ok ? outcome.reply : failure(outcome);
      served(visit, reply);
      if (reply.status === 101) passage.opened();
      else passage.stream.reset();
    });
  }

  /** Several calls and one reply. */
  function compose(visit: Visit, route: RouteConfig, to: AggregateConfig): void {
    const callerTo = (service: string) => callers.on(route, service);
    const asked = { ...visit, headers: forwarded(visit.headers, visit.request.ip) };
    visit.giveUp = gather(host, asked, to, callerTo, failure, (reply) => served(visit, reply));
  }

  function served(visit: Visit, reply: Parts): void {
    retries.set(callers.retryCount);
    latency.record(host.now() - visit.startedAt);
    if (reply.status >= 500) errors.add();
    finish(visit, reply);
  }

  /** Its body is not larger than may be: found out while it flows, so the service may have seen some of it. */
  function within(visit: Visit, route: RouteConfig, inlet: Inlet): Inlet {
    return limited(inlet, route.bodyMaxBytes ?? config.bodyMaxBytes, () => {
      if (visit.isGone || !open.get(visit.from, visit.request.id)) return;
      refused.add();
      visit.giveUp?.();
      finish(visit, plain(413, 'body too large'));
    });
  }

  /** It was not sent on, so nobody reads its body. */
  function turnAway(visit: Visit, reply: Parts): void {
    finish(visit, reply);
    visit.request.inlet?.stream.reset();
  }

  /** Out through the stages that it came through, and to whom it is for. */
  function finish(visit: Visit, reply: Parts): void {
    const parts = visit.stageCount === 0 ? reply : leave(visit, reply)!;
    // A body that flows goes out as it comes, unless a stage put another in its place.
    const { inlet } = reply;
    if (inlet && parts.body === null) return give(visit, { ...parts, inlet });
    inlet?.stream.reset();
    if (!compressor) return give(visit, parts);
    hold(visit);
    visit.giveUp = undefined;
    compressor.squeeze(visit, parts, (squeezed) => {
      if (!visit.isGone) give(visit, squeezed);
    });
  }

  function give({ from, request, isHeld }: Visit, parts: Parts): void {
    if (isHeld) open.take(from, request.id);
    tell(from, request, parts);
    if (isHeld) left();
  }

  function leave(visit: Visit, reply: Parts | undefined): Parts | undefined {
    let parts = reply;
    while (visit.stageCount > 0) {
      const stage = visit.stages[--visit.stageCount]!;
      if (stage.leave) parts = stage.leave(visit, parts);
    }
    return parts;
  }

  /** The user went away: nobody waits for what is under way. */
  function abandon(visit: Visit): void {
    abandoned.add();
    visit.isGone = true;
    visit.giveUp?.();
    leave(visit, undefined);
    left();
  }

  function left(): void {
    queue.set(open.count);
    if (whenIdle && open.count === 0 && replies.flowing === 0 && sockets.count === 0) end(whenIdle);
  }

  function end(done: () => void): void {
    if (isClosing) return;
    isClosing = true;
    close(done);
  }

  function other(from: Address, message: PurgeMessage | ToProgram): void {
    if (message.type === 'news') cache?.news(message);
    else if (isForCallers(message) && mayControl(from, host.self)) callers.obey(message);
  }

  /** No route takes it: perhaps one would, asked in another way. */
  function astray(request: WebRequest): Parts {
    const methods = router.allowed(request);
    if (methods.length === 0) return plain(404, 'no route');
    return plain(405, 'not with this method', ['allow', methods.join(', ')]);
  }

  /** In the language of who asked. */
  function tell(from: Address, request: WebRequest, parts: Parts): void {
    replies.send(from, request.id, isGrpc(request.headers) ? asGrpc(parts) : parts);
  }

  return {
    ...intermediary({ calls, open, accept, abandon, other }),
    drain(done) {
      whenIdle = done;
      sockets.closeAll();
      left();
    },
  };
}

interface CallersCode {
  readonly open: ProgramCode['open'];
  readonly keeping: Keeping;
}

/** One for each service and each policy under which some route calls it. */
class Callers {
  readonly #callers = new Map<string, Caller>();
  /** The same, to be counted over for every request. */
  readonly #list: Caller[] = [];
  readonly #host: Host;
  readonly #config: DoorConfig;
  readonly #calls: Calls<WebReply>;
  readonly #code: CallersCode;
  /** As callers call, or as the directories of their services say. */
  readonly #ways = new Map<string, Way>();
  readonly #byRoute = new Map<RouteConfig, Way>();

  constructor(host: Host, config: DoorConfig, calls: Calls<WebReply>, code: CallersCode) {
    this.#host = host;
    this.#config = config;
    this.#calls = calls;
    this.#code = code;
    config.routes.forEach((route, index) => {
      const { to, policy } = route;
      if (to.type !== 'service') return;
      const name = policy ? `${to.service} ${index}` : to.service;
      this.#byRoute.set(route, this.#to(to.service, policy ?? config.policy, name));
    });
  }

  get retryCount(): number {
    let sum = 0;
    for (const caller of this.#list) sum += caller.retryCount;
    return sum;
  }

  of(route: RouteConfig): Way {
    return this.#byRoute.get(route)!;
  }

  /** For a part of what the route leads to. */
  on(route: RouteConfig, service: string): Way {
    const { policy } = route;
    if (!policy) return this.to(service);
    const index = this.#config.routes.indexOf(route);
    return this.#to(service, policy, `${service} ${index}`);
  }

  /** For what the gateway itself wants to know. */
  to(service: string): Way {
    return this.#to(service, this.#config.policy, service);
  }

  #to(service: string, policy: PathPolicy, name: string): Way {
    let way = this.#ways.get(name);
    if (!way) {
      const host = this.#host;
      const targets = this.#config.targets[service]!;
      const random = host.random.fork(name);
      const backup = this.#config.backups?.[policy.fallback?.service ?? ''];
      const calls = this.#calls;
      const { open, keeping } = this.#code;
      const around = { host, calls, random, keeping };
      const caller = new Caller({ ...around, service, policy, targets, backup });
      this.#callers.set(name, caller);
      this.#list.push(caller);
      const { traffic } = targets;
      const place = this.#config.directories[service];
      way = wayTo({ host, caller, service, traffic, place, open });
      this.#ways.set(name, way);
    }
    return way;
  }

  purge(purge: Purge): void {
    for (const caller of this.#list) caller.purge(purge);
  }

  obey(message: ForCallers): void {
    const { service } = message;
    for (const [name, caller] of this.#callers) {
      if (name === service || name.startsWith(`${service} `)) caller.obey(message);
    }
  }
}

function earlier(one: Micros | undefined, other: Micros | undefined): Micros | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return Math.min(one, other);
}

/** What only an intermediary may say of where a request comes from: anybody can write it. */
const saidByOthers: ReadonlySet<string> = new Set([
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
  'x-forwarded-port',
  'x-real-ip',
  'forwarded',
]);

/** The user's address goes along: the edge has already believed those that it trusts. */
function forwarded(headers: readonly string[], ip: string): readonly string[] {
  if (headers.length === 0) return ip === '' ? headers : ['x-forwarded-for', ip];
  const kept = withoutHeaders(headers, saidByOthers);
  return ip === '' ? kept : [...kept, 'x-forwarded-for', ip];
}

function textOf(body: WebReply['body']): string {
  return typeof body === 'string' ? body : new TextDecoder().decode(body ?? undefined);
}

/** Counted in bytes; a letter takes one to three of them, so mostly its length says enough. */
function isLonger(body: WebRequest['body'], maxBytes: number): boolean {
  if (body === null || body.length * 3 <= maxBytes) return false;
  const size = typeof body === 'string' ? new TextEncoder().encode(body).length : body.length;
  return size > maxBytes;
}

/** `Retry-After`: when asking again may be worth it. */
function later(body: string, afterUs = 0, status = 503): Parts {
  const parts = plain(status, body);
  const seconds = String(Math.max(1, Math.ceil(afterUs / 1_000_000)));
  return { ...parts, headers: [...parts.headers, 'retry-after', seconds] };
}

function failure(outcome: Outcome & { ok: false }): Parts {
  switch (outcome.why) {
    case 'timeout':
      return plain(504, 'the service did not answer in time');
    case 'reset':
      return plain(502, 'the service broke off');
    case 'open':
      return later('the service fails too often and is left alone', outcome.retryAfterUs);
    case 'full':
      return later('too many calls of the service are under way', outcome.retryAfterUs);
    case 'paced':
      return later('all instances of the service are at their pace', outcome.retryAfterUs, 429);
    default:
      return plain(503, 'no instance of the service can be reached');
  }
}
