/**
 * The proxy's program: it asks sites on behalf of those who ask it.
 *
 *   caller ─▶ who? ─▶ rules ─▶ limit ─▶ masked ─▶ cache ──miss──▶ site
 *   caller ◀──────────────── rules ◀─ Via ◀─ cache ◀──────────────┘
 *
 * Or it digs a tunnel, on the same terms as far as they can be known.
 *
 * Every request is answered: 400 no address, 403 blocked, 405 no tunnels, 407 nobody known, 413 too large,
 * 429 over the limit, 501 an upgrade, 502 no such site or broken off, 503 too busy or nobody there, 504 too late, 508 a circle.
 */
import { mayControl, type ToProgram } from '../../../host/control.ts';
import type { ProgramCode } from '../../../host/declaration.ts';
import type { Address, Handlers, Host } from '../../../host/host.ts';
import {
  asksIfAlive,
  isTunnel,
  isUpgrade,
  isWebFailure,
  type WebMessage,
  type WebReply,
  type WebRequest,
} from '../../../host/web.ts';
import { fromBase64Url, hexOf } from '../../../kit/bytes.ts';
import { normalPath, parseUrl } from '../../../kit/url.ts';
import { Gcra } from '../../../parts/limit/gcra.ts';
import { KeyedLimiter } from '../../../parts/limit/keyed.ts';
import { limited } from '../../../parts/stream.ts';
import { Caller, isForCallers, type Outcome } from '../../../path/caller.ts';
import { Calls } from '../../../path/calls.ts';
import { type Way, wayTo } from '../../../path/directory.ts';
import { headerOf } from '../../../path/headers.ts';
import { Inbox } from '../../../path/inbox.ts';
import { intermediary, Replies } from '../../../path/intermediary.ts';
import type { PurgeMessage } from '../../../path/purges.ts';
import { ReplyCache } from '../../../path/reply-cache.ts';
import { Accounts } from './accounts.ts';
import type { NodeConfig } from './config.ts';
import { inward, isLoop, outward } from './masking.ts';
import { isOfHost, isPrivate, plainHost, Rules, type Subject } from './rules.ts';
import { Tunnels } from './tunnels.ts';

type Parts = Pick<WebReply, 'status' | 'headers' | 'body' | 'inlet'>;

interface Visit {
  readonly from: Address;
  readonly request: WebRequest;
  readonly url: URL;
  readonly startedAt: number;
  /** Who it is, once that is known. */
  subject: Subject;
  isGone: boolean;
  giveUp: (() => void) | undefined;
}

/** What may be asked where there are no tunnels. */
const allowed = 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS';

/** Where a caller reads what it used: a path of the proxy's own. */
const accountPath = '/.well-known/proxy-account';

export function proxy(
  host: Host,
  config: NodeConfig,
  code: Pick<ProgramCode, 'open'>,
): Handlers<WebMessage | PurgeMessage | ToProgram> {
  const { name } = config;
  const calls = new Calls<WebReply>(host, { failed: isWebFailure });
  const rules = new Rules(config);
  const accounts = new Accounts(config.callersMax);
  const limit =
    config.limit && new KeyedLimiter(new Gcra(config.limit), { keysMax: config.limit.keysMax });
  const users = config.users && new Map(config.users.map(({ sha256, user }) => [sha256, user]));
  const cache =
    config.cache &&
    new ReplyCache(host, config.cache, {
      name,
      apart: [],
      purges: config.purges,
      purged: (purge) => {
        for (const caller of callers.values()) caller.purge(purge);
      },
    });
  const callers = new Map<string, Caller>();
  const ways = new Map<string, Way>();
  for (const [service, targets] of Object.entries(config.targets)) {
    const random = host.random.fork(service);
    const keeping = { apart: [], mayKeep: () => cache?.isInTouch ?? true };
    const { policy } = config;
    const caller = new Caller({ host, calls, service, policy, targets, random, keeping });
    callers.set(service, caller);
    const place = config.directories[service];
    const { traffic } = targets;
    ways.set(service, wayTo({ host, caller, service, traffic, place, open: code.open }));
  }
  const { meter } = host;
  const requests = meter.counter('requests');
  const errors = meter.counter('errors');
  const refused = meter.counter('refused');
  const blocked = meter.counter('blocked');
  const latency = meter.histogram('latency');
  const queue = meter.gauge('queue');
  const tunnelBytes = meter.counter('tunnelBytes');
  const tunnels = new Tunnels(host, config.tunnels, left);
  const open = new Inbox<Visit>();
  const replies = new Replies(host, left);
  let whenIdle: (() => void) | undefined;

  function accept(from: Address, request: WebRequest): void {
    if (asksIfAlive(request)) return replies.send(from, request.id, plain(200, ''));
    if (!open.isNew(from, request.id)) return;
    requests.add();
    const url = parseUrl(request.url);
    const turnedAway = admit(request, url);
    if (turnedAway || !url) {
      refused.add();
      replies.send(from, request.id, turnedAway ?? plain(400, 'no address'));
      return request.inlet?.stream.reset();
    }
    const { hostname, pathname } = url;
    // Where to in a site, only who is at the ends of a tunnel knows.
    const path = isTunnel(request) ? '' : normalPath(pathname);
    const subject = { host: plainHost(hostname), path, ip: request.ip, user: undefined };
    const startedAt = host.now();
    const visit: Visit = {
      from,
      request,
      url,
      startedAt,
      subject,
      isGone: false,
      giveUp: undefined,
    };
    open.hold(from, request.id, visit);
    queue.set(open.count);
    identify(visit);
  }

  /** Why a request goes no further, whoever asks. */
  function admit(request: WebRequest, url: URL | undefined): Parts | undefined {
    if (whenIdle) return plain(503, 'draining');
    if (open.count >= config.openMax) return plain(503, 'too busy');
    if (!url || !/^https?:$/.test(url.protocol)) return plain(400, 'no address of a site');
    if ((request.body?.length ?? 0) > config.bodyMaxBytes) return plain(413, 'body too large');
    if (isUpgrade(request)) return plain(501, 'no upgrades here');
    if (isTunnel(request)) {
      if (config.tunnels.ports.length === 0)
        return plain(405, 'no tunnels here', ['allow', allowed]);
      if (!request.inlet) return plain(400, 'nothing flows here');
    }
    return isLoop(request.headers, name) ? plain(508, 'it came through here before') : undefined;
  }

  function identify(visit: Visit): void {
    if (!users) return decide(visit);
    const credential = basicOf(headerOf(visit.request.headers, 'proxy-authorization'));
    if (!credential) return turnAway(visit, unknownCaller());
    host.crypto.digest('SHA-256', credential, (digest) => {
      if (visit.isGone) return;
      const user = users.get(hexOf(digest));
      if (user === undefined) return turnAway(visit, unknownCaller());
      visit.subject = { ...visit.subject, user };
      decide(visit);
    });
  }

  /** RFC 9110, 11.7.1. */
  function unknownCaller(): Parts {
    const challenge = `Basic realm="${name}", charset="UTF-8"`;
    return plain(407, 'who is asking?', ['proxy-authenticate', challenge]);
  }

  function decide(visit: Visit): void {
    const { subject, url } = visit;
    const account = accounts.of(callerOf(subject));
    account.requests++;
    if (url.hostname === name.toLowerCase() && url.pathname === accountPath) {
      const headers = ['content-type', 'application/json', 'cache-control', 'no-store'];
      return finish(visit, { status: 200, headers, body: JSON.stringify(account) });
    }
    const isToBeDug = isTunnel(visit.request);
    const isBlocked = isToBeDug ? isTunnelBlocked(visit) : rules.isBlocked(subject);
    if (isBlocked) return block(visit);
    const waitUs = limit?.take(limitKey(subject), host.now()) ?? 0;
    if (waitUs > 0) {
      const seconds = String(Math.ceil(waitUs / 1_000_000));
      return turnAway(visit, plain(429, 'slow down', ['retry-after', seconds]));
    }
    const site = config.sites.find((one) => isOfHost(one.host, subject.host));
    if (site?.host === '*' && config.privateHosts === 'refuse' && isPrivate(subject.host)) {
      return block(visit);
    }
    const way = site && ways.get(site.service);
    if (!site || !way) return turnAway(visit, plain(502, 'no way to this site'));
    host.cpu.charge(config.costUs, () => {
      if (visit.isGone) return;
      if (isToBeDug) dig(visit, way);
      else ask(visit, site.service, way);
    });
  }

  /** Of what goes through nothing is known, now or later: what a list allows by type or path is not in it. */
  function isTunnelBlocked({ subject, url }: Visit): boolean {
    // A port that is the usual one is not said.
    const port = Number(url.port) || (url.protocol === 'https:' ? 443 : 80);
    if (!config.tunnels.ports.includes(port)) return true;
    return rules.isReplyBlocked(subject, { type: '', bytes: undefined });
  }

  function dig(visit: Visit, way: Way): void {
    const { request, startedAt, subject } = visit;
    const { method, url, ip, timeoutUs } = request;
    const caller = callerOf(subject);
    const tunnel = tunnels.enter(request.inlet!, (bytes) => {
      tunnelBytes.add(bytes);
      accounts.of(caller).bytes += bytes;
    });
    if (!tunnel) return turnAway(visit, plain(503, 'too many tunnels'));
    const headers = outward(request.headers, ip, config);
    const from = config.forwarded === 'hidden' ? '' : ip;
    const asked = { method, url, headers, body: null, ip: from, session: undefined, inlet: tunnel };
    const deadlineAt = timeoutUs === undefined ? undefined : startedAt + timeoutUs;
    const giveUp = way.call(asked, deadlineAt, (outcome) => {
      const reply = outcome.ok ? outcome.reply : failure(outcome);
      // RFC 9110, 9.3.6: an answer that opens a tunnel has no body, and no headers that speak of one.
      if (reply.status < 300) finish(visit, { status: 200, headers: [], body: null });
      else finish(visit, { ...reply, headers: inward(reply.headers, name) });
      if (reply.status < 300) tunnel.opened();
      else tunnel.stream.reset();
    });
    visit.giveUp = () => {
      giveUp();
      // It may wait for a turn, and then nobody listens to its client.
      tunnel.stream.reset();
    };
  }

  function ask(visit: Visit, service: string, way: Way): void {
    const { request, startedAt, subject } = visit;
    const { method, url, body, timeoutUs } = request;
    const inlet =
      request.inlet && limited(request.inlet, config.bodyMaxBytes, () => tooLarge(visit));
    const isHidden = config.forwarded === 'hidden';
    const headers = outward(request.headers, request.ip, config);
    // Whoever passes on who asks reads it here, too.
    const ip = isHidden ? '' : request.ip;
    const session = isHidden ? undefined : request.session;
    const asked = { method, url, headers, body, ip, session, inlet };
    const deadlineAt = timeoutUs === undefined ? undefined : startedAt + timeoutUs;
    if (!cache || inlet) {
      visit.giveUp = way.call(asked, deadlineAt, (outcome) => {
        if (outcome.ok) served(visit, outcome.reply);
        else finish(visit, failure(outcome));
      });
      return;
    }
    visit.giveUp = cache.call(service, way, asked, deadlineAt, (outcome, flow) => {
      if (!outcome.ok) return finish(visit, failure(outcome.failure));
      const { how } = outcome;
      if (how !== 'miss' && how !== 'pass') accounts.of(callerOf(subject)).hits++;
      served(visit, { ...outcome.reply, inlet: flow });
    });
  }

  /** A reply of a site: what it is, is known only now. */
  function served(visit: Visit, reply: Parts): void {
    const { subject } = visit;
    const type = (headerOf(reply.headers, 'content-type') ?? '')
      .split(';')[0]!
      .trim()
      .toLowerCase();
    const said = headerOf(reply.headers, 'content-length');
    const bytes = reply.body?.length ?? (said === undefined ? undefined : Number(said));
    if (rules.isReplyBlocked(subject, { type, bytes })) {
      reply.inlet?.stream.reset();
      return block(visit);
    }
    const max = reply.inlet && rules.bytesMax(subject, type);
    // It has begun by then: it breaks off, and does not look whole.
    const inlet =
      reply.inlet && max !== undefined
        ? limited(reply.inlet, max, () => blocked.add())
        : reply.inlet;
    finish(visit, { ...reply, headers: inward(reply.headers, name), inlet });
  }

  function block(visit: Visit): void {
    blocked.add();
    accounts.of(callerOf(visit.subject)).blocked++;
    turnAway(visit, plain(403, 'blocked'));
  }

  function tooLarge(visit: Visit): void {
    if (visit.isGone || !open.get(visit.from, visit.request.id)) return;
    visit.giveUp?.();
    turnAway(visit, plain(413, 'body too large'));
  }

  /** Nobody reads its body. */
  function turnAway(visit: Visit, reply: Parts): void {
    refused.add();
    finish(visit, reply);
    visit.request.inlet?.stream.reset();
  }

  function finish(visit: Visit, reply: Parts): void {
    const { from, request, startedAt, subject } = visit;
    open.take(from, request.id);
    latency.record(host.now() - startedAt);
    if (reply.status >= 500) errors.add();
    const account = accounts.of(callerOf(subject));
    account.bytes += reply.body?.length ?? 0;
    replies.send(from, request.id, reply, (bytes) => {
      account.bytes += bytes;
    });
    left();
  }

  function limitKey(subject: Subject): string {
    return config.limit?.by === 'ip' ? subject.ip : callerOf(subject);
  }

  function abandon(visit: Visit): void {
    visit.isGone = true;
    visit.giveUp?.();
    left();
  }

  function left(): void {
    queue.set(open.count);
    if (open.count === 0 && replies.flowing === 0 && tunnels.count === 0) whenIdle?.();
  }

  function other(from: Address, message: PurgeMessage | ToProgram): void {
    if (message.type === 'news') cache?.news(message);
    else if (isForCallers(message) && mayControl(from, host.self)) {
      callers.get(message.service)?.obey(message);
    }
  }

  return {
    ...intermediary({ calls, open, accept, abandon, other }),
    drain(done) {
      whenIdle = done;
      tunnels.windUp();
      left();
    },
  };
}

/** Nobody can be taken for an address, nor an address for somebody. */
function callerOf({ user, ip }: Subject): string {
  return user === undefined ? `\0${ip}` : user;
}

/** `user:password` of a header; undefined: it shows none. */
function basicOf(header: string | undefined): Uint8Array | undefined {
  const [, said] = /^basic +([A-Za-z0-9+/]{1,1024})={0,2}$/i.exec(header ?? '') ?? [];
  if (said === undefined) return undefined;
  return fromBase64Url(said.replaceAll('+', '-').replaceAll('/', '_'));
}

function plain(status: number, body: string, headers: readonly string[] = []): Parts {
  return { status, headers: ['content-type', 'text/plain', ...headers], body };
}

function failure(outcome: Outcome & { ok: false }): Parts {
  switch (outcome.why) {
    case 'timeout':
      return plain(504, 'the site did not answer in time');
    case 'reset':
      return plain(502, 'the site broke off');
    default:
      return plain(503, 'the site cannot be reached');
  }
}
