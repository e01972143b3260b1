/**
 * The program of an edge: answers from its cache, and asks the shield or the origin for what is not there.
 *
 *   user ──▶ limit → rule → cache ──hit──▶ user
 *                             └──miss──▶ shield's edge ──miss──▶ origin
 *                                  (not there: the origin itself)
 *
 * Every request is answered: 413 too large, 429 over the limit, 502 broken off, 503 nobody there or too
 * busy, 504 too late, 508 a circle; something stale where that is allowed.
 */
import { mayControl, type ToProgram } from '../../../host/control.ts';
import type { Address, Handlers, Host, Micros, NodeId } from '../../../host/host.ts';
import type { Inlet } from '../../../host/stream.ts';
import {
  asksIfAlive,
  isUpgrade,
  isWebFailure,
  type WebCancel,
  type WebMessage,
  type WebReply,
  type WebRequest,
  webPort,
} from '../../../host/web.ts';
import { hashText } from '../../../kit/random.ts';
import { field } from '../../../parts/http-cache/fields.ts';
import { splitUrl } from '../../../parts/http-cache/key.ts';
import {
  CachedFetch,
  type CacheReply,
  type CacheRequest,
  deviceOf,
  type Purge,
  resourceOf,
  type Served,
} from '../../../parts/http-cache.ts';
import { Gcra } from '../../../parts/limit/gcra.ts';
import { KeyedLimiter } from '../../../parts/limit/keyed.ts';
import { limited } from '../../../parts/stream.ts';
import { type Asked, Caller, isForCallers, type Outcome, requestOf } from '../../../path/caller.ts';
import { Calls } from '../../../path/calls.ts';
import { Inbox } from '../../../path/inbox.ts';
import { intermediary, Replies } from '../../../path/intermediary.ts';
import type { PurgeMessage } from '../../../path/purges.ts';
import { toBeKept } from '../../../path/to-be-kept.ts';
import { Touch } from '../../../path/touch.ts';
import type { EdgeConfig } from './config.ts';
import { Rules } from './rules.ts';
import { Top } from './top.ts';

type Failure = Outcome & { ok: false };

/** Who asks the cache, with what only one asker can have: a body that flows, in or out. */
interface Asking extends Asked {
  readonly isEdge: boolean;
  flow: Inlet | undefined;
}

interface Reply extends CacheReply {
  readonly inlet?: Inlet | undefined;
}

interface Visit {
  isGone: boolean;
  giveUp: (() => void) | undefined;
}

/** How long a shield's edge that did not answer is passed over. */
const avoidUs = 1_000_000;
/** What an edge says at this path about itself, to who may ask (RFC 8615 leaves the name to us). */
/** By it a shield knows an edge of its CDN: no request from outside keeps it (see `live/edge-addresses.ts`). */
const edgeMark = 'x-loadpath-edge';
const analyticsPath = '/.well-known/cdn-analytics';

export function edge(
  host: Host,
  config: EdgeConfig,
): Handlers<WebMessage | PurgeMessage | ToProgram> {
  const { name } = config;
  const rules = new Rules(config.rules);
  const limit = config.limit
    ? new KeyedLimiter(new Gcra(config.limit), { keysMax: config.limit.keysMax })
    : undefined;
  const calls = new Calls<WebReply>(host, { failed: isWebFailure });
  const random = host.random.fork('origin');
  const { policy, origin: targets, originName: service } = config;
  const origin = new Caller({
    host,
    calls,
    service,
    policy,
    targets,
    random,
    keeping: { apart: [], mayKeep: mayServeStored },
  });
  const avoided = new Map<NodeId, Micros>();
  const { meter } = host;
  const requests = meter.counter('requests');
  const errors = meter.counter('errors');
  const refused = meter.counter('refused');
  const latency = meter.histogram('latency');
  const queue = meter.gauge('queue');
  const served = {
    hit: meter.counter('hits'),
    stale: meter.counter('stale'),
    miss: meter.counter('misses'),
    validated: meter.counter('validated'),
    collapsed: meter.counter('collapsed'),
    pass: meter.counter('passed'),
    refused: meter.counter('not cached'),
  };
  const asked = meter.counter('asked origin');
  const askedShield = meter.counter('asked shield');
  const bytesOut = meter.counter('bytes served');
  const bytesIn = meter.counter('bytes fetched');
  const purged = meter.counter('purged');
  const passing = meter.counter('out of touch');
  const hitRatio = meter.gauge('hit ratio');
  const kept = meter.gauge('cache bytes');
  const top = new Top(config.topCount * 4);
  const open = new Inbox<Visit>();
  const replies = new Replies(host, left);
  let whenIdle: (() => void) | undefined;

  const cached = new CachedFetch<Asking, Failure>(
    config.cache,
    {
      now: () => host.now(),
      wall: () => host.wall(),
      send(request, asker, done) {
        const forward = forwarded(request, asker);
        const how = { config: config.cache, rule: rules.of(request.url) };
        let stopReading: (() => void) | undefined;
        const get = (outcome: Outcome): void => {
          if (!outcome.ok) return done({ ok: false, failure: outcome });
          const standIn = outcome.standsIn ? 'now' : undefined;
          stopReading = toBeKept(host, request, outcome.reply, how, (reply, flow) => {
            bytesIn.add(sizeOf(reply.body));
            asker.flow = flow;
            done({ ok: true, reply, use: flow ? 'once' : standIn });
          });
        };
        const shield = asker.isEdge || asker.inlet ? undefined : shieldFor(request);
        const giveUp =
          shield === undefined ? askOrigin(forward, get) : askShield(shield, forward, get);
        return () => (stopReading ?? giveUp)();
      },
    },
    { name },
  );
  const touch = config.purges && new Touch(host, config.purges, apply);

  function apply(purge: Purge): void {
    const there = purge.by === 'url' ? resourceOf(purge.url, rules.of(purge.url)) : '';
    purged.add(cached.purge(purge.by === 'url' ? { by: 'url', url: there } : purge));
    kept.set(cached.cache.bytes);
    origin.purge(purge);
  }

  function mayServeStored(): boolean {
    return touch === null || config.whenOutOfTouch === 'serve' || touch.isIn;
  }

  function askOrigin(forward: Asked, done: (outcome: Outcome) => void): () => void {
    asked.add();
    return origin.call(forward, undefined, done);
  }

  function askShield(node: NodeId, forward: Asked, done: (outcome: Outcome) => void): () => void {
    askedShield.add();
    const to: Address = { node, port: webPort };
    let giveUp = (): void => {
      calls.abandon(id);
      host.send(to, { type: 'cancel', id } satisfies WebCancel);
    };
    const id = calls.open(to, config.shieldTimeoutUs, (answer) => {
      if (answer.ok) return done(answer);
      avoided.set(node, host.now() + avoidUs);
      if (answer.why === 'timeout') host.send(to, { type: 'cancel', id } satisfies WebCancel);
      giveUp = askOrigin(forward, done);
    });
    const headers = [...forward.headers, edgeMark, name];
    host.send(to, requestOf(id, { ...forward, headers }, config.shieldTimeoutUs));
    return () => giveUp();
  }

  /** The same for the same address at every edge: so that their misses meet in one place. */
  function shieldFor({ method, url }: CacheRequest): NodeId | undefined {
    if (method !== 'GET') return undefined;
    const resource = resourceOf(url, rules.of(url));
    const now = host.now();
    let best: NodeId | undefined;
    let bestHash = -1;
    for (const node of config.shields) {
      if ((avoided.get(node) ?? 0) > now) continue;
      const hash = hashText(`${node} ${resource}`) >>> 0;
      if (hash > bestHash) [best, bestHash] = [node, hash];
    }
    return best;
  }

  function forwarded({ method, url, headers }: CacheRequest, asker: Asking): Asked {
    const sent: string[] = [];
    for (let i = 0; i + 1 < headers.length; i += 2) {
      if (headers[i] === 'x-forwarded-for' || headers[i] === edgeMark) continue;
      sent.push(headers[i]!, headers[i + 1]!);
    }
    const { body, ip, session, inlet } = asker;
    if (ip !== '') sent.push('x-forwarded-for', ip);
    if (rules.of(url).device && field(headers, 'x-device') === undefined) {
      sent.push('x-device', deviceOf(field(headers, 'user-agent') ?? ''));
    }
    // A shield passes on what its edge said already.
    if (!asker.isEdge) sent.push('cdn-loop', name);
    return { method, url, headers: sent, body, ip, session, inlet };
  }

  function isFromEdge({ headers }: Pick<WebRequest, 'headers'>): boolean {
    return field(headers, edgeMark) === name;
  }

  /** What left here for the origin came back (RFC 8586). */
  function isLoop(request: WebRequest): boolean {
    const passed = field(request.headers, 'cdn-loop')?.split(/\s*,\s*/) ?? [];
    return passed.some((cdn) => cdn.split(';')[0] === name) && !isFromEdge(request);
  }

  function accept(from: Address, request: WebRequest): void {
    if (asksIfAlive(request)) {
      return replies.send(from, request.id, { status: 200, headers: [], body: null });
    }
    if (!open.isNew(from, request.id)) return;
    requests.add();
    const startedAt = host.now();
    const turnedAway = admit(request, startedAt);
    if (turnedAway) {
      refused.add();
      replies.send(from, request.id, turnedAway);
      return request.inlet?.stream.reset();
    }
    const visit: Visit = { isGone: false, giveUp: undefined };
    open.hold(from, request.id, visit);
    queue.set(open.count);
    host.cpu.charge(config.costUs, () => {
      if (!visit.isGone) serve(from, request, visit, startedAt);
    });
  }

  function serve(from: Address, request: WebRequest, visit: Visit, startedAt: Micros): void {
    if (splitUrl(request.url).path === analyticsPath)
      return finish(from, request, startedAt, analytics());
    const rule = rules.of(request.url);
    if (config.topCount > 0) top.add(resourceOf(request.url, rule));
    const mayServe = mayServeStored();
    if (!mayServe) passing.add();
    const { method, url, headers, body, ip, session } = request;
    const { inlet: given } = request;
    const isBody = given !== undefined && !isUpgrade(request);
    const inlet = isBody ? within(from, request, visit, startedAt, given) : given;
    const isEdge = isFromEdge(request);
    const flow = undefined;
    const asking: Asking = { method, url, headers, body, ip, session, inlet, flow, isEdge };
    const isPlain = mayServe && !inlet;
    visit.giveUp = cached.serve(asking, isPlain ? rule : { ...rule, bypass: true }, (outcome) => {
      if (outcome.ok) served[outcome.how].add();
      const reply = outcome.ok ? { ...outcome.reply, inlet: asking.flow } : failureOf(outcome);
      finish(from, request, startedAt, reply);
    });
  }

  /** Its body is not larger than may be: found out while it flows, so the origin may have seen some of it. */
  function within(
    from: Address,
    request: WebRequest,
    visit: Visit,
    startedAt: Micros,
    inlet: Inlet,
  ): Inlet {
    return limited(inlet, config.bodyMaxBytes, () => {
      if (visit.isGone || !open.get(from, request.id)) return;
      refused.add();
      visit.giveUp?.();
      finish(from, request, startedAt, plain(413, 'body too large'));
    });
  }

  function finish(from: Address, request: WebRequest, startedAt: Micros, reply: Reply): void {
    open.take(from, request.id);
    latency.record(host.now() - startedAt);
    if (reply.status >= 500) errors.add();
    bytesOut.add(sizeOf(reply.body));
    kept.set(cached.cache.bytes);
    hitRatio.set(ratioOf(cached.counts));
    replies.send(from, request.id, reply, (bytes) => {
      bytesIn.add(bytes);
      bytesOut.add(bytes);
    });
    left();
  }

  function analytics(): CacheReply {
    const { counts } = cached;
    const about = {
      edge: host.self,
      zone: host.zone,
      hitRatio: ratioOf(counts),
      counts,
      stored: cached.cache.count,
      bytes: cached.cache.bytes,
      top: top.first(config.topCount),
    };
    const headers = ['content-type', 'application/json', 'cache-control', 'no-store'];
    return { status: 200, headers, body: JSON.stringify(about) };
  }

  /** Why a request goes no further, or undefined. */
  function admit(request: WebRequest, now: Micros): CacheReply | undefined {
    if (whenIdle) return plain(503, 'draining');
    if (open.count >= config.openMax) return plain(503, 'too busy');
    if (sizeOf(request.body) > config.bodyMaxBytes) return plain(413, 'body too large');
    if (isLoop(request)) return plain(508, 'it came through here before');
    // Edges ask on behalf of many: what they ask for was let in once.
    if (!limit || isFromEdge(request)) return undefined;
    const waitUs = limit.take(request.ip, now);
    if (waitUs === 0) return undefined;
    const { headers, ...rest } = plain(429, 'slow down');
    return { ...rest, headers: [...headers, 'retry-after', String(Math.ceil(waitUs / 1e6))] };
  }

  function abandon(visit: Visit): void {
    visit.isGone = true;
    visit.giveUp?.();
    left();
  }

  function left(): void {
    queue.set(open.count);
    if (open.count === 0 && replies.flowing === 0 && whenIdle) end(whenIdle);
  }

  function end(done: () => void): void {
    whenIdle = undefined;
    const most = top.first(config.topCount).map(({ name: url, count }) => `${url} ${count}`);
    if (most.length > 0) meter.note(`asked for most: ${most.join(', ')}`);
    done();
  }

  function other(from: Address, message: PurgeMessage | ToProgram): void {
    if (message.type === 'news') touch?.news(message);
    else if (!isForCallers(message) || message.service !== service) return;
    else if (mayControl(from, host.self)) origin.obey(message);
  }

  return {
    ...intermediary({ calls, open, accept, abandon, other }),
    drain(done) {
      whenIdle = done;
      left();
    },
  };
}

function sizeOf(body: WebRequest['body']): number {
  return body?.length ?? 0;
}

/** Answered without the origin, of all that may be. */
function ratioOf(counts: CachedFetch<Asking, Failure>['counts']): number {
  const near = counts.hit + counts.stale + counts.collapsed;
  const all = near + counts.miss + counts.validated + counts.pass + counts.lost;
  return all === 0 ? 0 : near / all;
}

function plain(status: number, body: string): CacheReply {
  return { status, headers: ['content-type', 'text/plain'], body };
}

function failureOf({ failure }: Served<Failure> & { ok: false }): CacheReply {
  switch (failure.why) {
    case 'timeout':
      return plain(504, 'the origin did not answer in time');
    case 'reset':
      return plain(502, 'the origin broke off');
    case 'paced':
      return plain(429, 'the origin is asked as often as it may be');
    default:
      return plain(503, 'the origin cannot be reached');
  }
}
