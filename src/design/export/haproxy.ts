/**
 * The task as a `haproxy.cfg`, for HAProxy 2.6 and later.
 *
 * One frontend finds the route, in the order in which routes are tried, and keeps it in a variable;
 * limits, rewriting and the choice of a backend look there. Limits are stick tables: a count over a
 * period that slides, of requests that were admitted.
 */
import type { Condition, LimitConfig, RouteConfig } from '../../blocks/edge/gateway/config.ts';
import { ratePerSec } from '../../kit/units.ts';
import { connectionRemarks } from './connections.ts';
import { haproxyEntry } from './haproxy-entry.ts';
import { paceLines, serverOptions, stageLines, stageRemarks } from './haproxy-stages.ts';
import { formatText, single } from './haproxy-text.ts';
import { hasParameters, pathPattern, pieces } from './patterns.ts';
import type { Remarks } from './remarks.ts';
import {
  hashKeyOf,
  type LimitTask,
  type ProxyTask,
  type RouteTask,
  repeatable,
  saidByOthers,
  type Upstream,
} from './task.ts';
import { remarkText, token } from './words.ts';

/** HAProxy follows so many keys of a request, unless it is built otherwise. */
const trackedMax = 3;

export function haproxyOf(task: ProxyTask, remarks: Remarks): string {
  const { design, gateway, openMax, listen, workers, routes, upstreams, entry } = task;
  const { connections } = entry;
  connectionRemarks('haproxy', gateway, connections, remarks);
  const tables = tablesOf(task, remarks);
  for (const upstream of upstreams) {
    policyRemarks(upstream, remarks);
    stageRemarks(upstream, remarks);
  }
  const frontend = [
    `frontend ${token('gateway', gateway)}`,
    `  bind ${listen.host}:${listen.port}${workers?.how === 'sharded' ? ' shards by-thread' : ''}`,
    ...(workers ? [`  backlog ${workers.backlog}`] : []),
    `  maxconn ${Math.min(openMax, connections.max)}`,
    // As the router reads a path, so that no /open/../admin walks past the guard of /admin.
    '  http-request normalize-uri percent-decode-unreserved',
    '  http-request normalize-uri percent-to-uppercase',
    '  http-request normalize-uri path-strip-dot',
    '  http-request normalize-uri path-strip-dotdot full',
    ...saidByOthers.map((name) => `  http-request del-header ${name}`),
    '  http-request del-header proxy-connection',
    '  http-request del-header keep-alive',
    '  http-request del-header te',
    '  http-request set-header x-forwarded-for %[src]',
    ...haproxyEntry(gateway, task.entry, remarks),
    ...routes.map((one) =>
      `  http-request set-var(txn.route) str(${one.id}) if !{ var(txn.route) -m found } ${conditionsOf(one)}`.trimEnd(),
    ),
    ...routes
      .filter(({ route }) => route.methods.length > 0)
      .map((one) => {
        const others = conditionsOf({ ...one, route: { ...one.route, methods: [] } });
        return `  http-request return status 405 if !{ var(txn.route) -m found } ${others}`.trimEnd();
      }),
    ...tables.rules,
    '  http-request return status 404 if !{ var(txn.route) -m found }',
    ...routes.flatMap((one) => routeRules(one)),
    ...routes.flatMap((one) => backendRules(one)),
  ];
  const backends = upstreams.flatMap((upstream) => backendsOf(upstream));
  remarks.approximated(
    `${gateway}.openMax`,
    'maxconn of the frontend',
    'Connections beyond it wait to be accepted; the gateway answers 503.',
  );
  remarks.approximated(
    `${gateway}.bodyMax`,
    '413 by what content-length says',
    'A body in chunks without a length passes at any size: HAProxy does not count what it passes on.',
  );
  if (routes.some(({ route }) => route.methods.length > 0)) {
    remarks.approximated(
      `${gateway}.routes.methods`,
      '405 comes without Allow',
      'A rule does not know what the others take.',
    );
  }
  return `${[
    `# The gateway ${remarkText(gateway)} of ${remarkText(design)} for HAProxy, written by \`loadpath export\`.`,
    '# It needs no root:  haproxy -f haproxy.cfg',
    '',
    'global',
    ...(workers ? [`  nbthread ${workers.count}`] : []),
    '  # For normalize-uri.',
    '  expose-experimental-directives',
    `  maxconn ${openMax}`,
    ...(connections.isAsked
      ? [
          `  tune.http.maxhdr ${Math.min(32_767, connections.headersMax + 1)}`,
          `  tune.bufsize ${connections.headerMaxBytes + 1_024}`,
        ]
      : []),
    '  # Where fewer files may be open it takes fewer connections, and says so.',
    '  no strict-limits',
    '',
    'defaults',
    '  mode http',
    '  option http-keep-alive',
    '  http-reuse safe',
    `  timeout http-request ${inMs(connections.headersTimeoutUs)}`,
    `  timeout http-keep-alive ${inMs(connections.keepAliveUs)}`,
    `  timeout client ${inMs(connections.requestTimeoutUs)}`,
    `  timeout tunnel ${inMs(entry.socketIdleUs)}`,
    '  timeout connect 1s',
    '  timeout server 60s',
    '  default-server init-addr last,libc,none',
    '',
    ...frontend,
    '',
    ...tables.sections,
    ...backends,
  ]
    .join('\n')
    .trimEnd()}\n`;
}

function conditionsOf({ at, route }: RouteTask): string {
  const { host, methods, headers, cookies, query, contentType } = route;
  const found: string[] = [];
  if (host?.startsWith('*.')) {
    found.push(`{ req.hdr(host),host_only,lower -m end -- ${single(at, host.slice(1))} }`);
    found.push(`!{ req.hdr(host),host_only,lower -m str -- ${single(at, host.slice(1))} }`);
  } else if (host !== null) {
    found.push(`{ req.hdr(host),host_only,lower -m str -- ${single(at, host)} }`);
  }
  const path = pathCondition(at, route);
  if (path !== '') found.push(path);
  if (methods.length > 0) {
    const all = methods.includes('GET') ? [...methods, 'HEAD'] : methods;
    found.push(`{ method -m str -- ${all.join(' ')} }`);
  }
  if (contentType !== null) {
    const isOpen = contentType.endsWith('/*');
    const type = single(at, isOpen ? contentType.slice(0, -1) : contentType);
    const read = "req.hdr(content-type),word(1,';'),lower";
    found.push(
      isOpen ? `{ ${read} -m beg -- ${type} }` : `{ ${read},rtrim(' ') -m str -- ${type} }`,
    );
  }
  const test = (fetch: string, { test: kind, value }: Condition) => {
    if (kind === 'present') return `{ ${fetch} -m found }`;
    if (kind === 'absent') return `!{ ${fetch} -m found }`;
    return `{ ${fetch} -m ${kind === 'is' ? 'str' : 'beg'} -- ${single(at, value)} }`;
  };
  found.push(
    ...headers.map((one) => test(`req.fhdr(${token(at, one.name)},1)`, one)),
    ...cookies.map((one) => test(`req.cook(${token(at, one.name)})`, one)),
    ...query.map((one) => test(`url_param(${token(at, one.name)}),url_dec(1)`, one)),
  );
  return found.join(' ');
}

function pathCondition(at: string, route: RouteConfig): string {
  const { path, isExact } = route;
  if (path === '/' && !isExact) return '';
  if (hasParameters(path)) return `{ path -m reg -- ${single(at, `^${pathPattern(route)}`)} }`;
  if (isExact) return `{ path -m str -- ${single(at, path)} }`;
  return `{ path -m reg -- ${single(at, `^${pathPattern(route)}`)} }`;
}

const isRoute = (id: string) => `{ var(txn.route) -m str ${id} }`;

function routeRules(one: RouteTask): string[] {
  const { id, at, route, closed, bodyMaxBytes } = one;
  const when = `if ${isRoute(id)}`;
  if (closed !== undefined) return [`  http-request return status ${closed} ${when}`];
  if (route.to.type === 'redirect') {
    const { to, status } = route.to;
    const target = formatOf(at, to, route.path);
    const join = to.includes('?') ? '&' : '?';
    return [
      `  http-request redirect location ${single(at, `${target}${join}%[query]`)} code ${status} ${when} { query -m len gt 0 }`,
      `  http-request redirect location ${single(at, target)} code ${status} ${when}`,
    ];
  }
  const rules = [
    `  http-request return status 413 ${when} { req.hdr_val(content-length) gt ${bodyMaxBytes} }`,
  ];
  const { rewrite } = route;
  if (rewrite?.path != null) {
    rules.push(
      `  http-request set-path ${single(at, formatOf(at, rewrite.path, route.path))} ${when}`,
    );
  } else if (rewrite && rewrite.strip !== '') {
    const after = rewrite.strip.split('/').length + 1;
    rules.push(`  http-request set-path '/%[path,field(${after},/,0)]' ${when}`);
  }
  if (rewrite?.host != null) {
    rules.push(`  http-request set-header x-forwarded-host %[req.hdr(host)] ${when}`);
    rules.push(
      `  http-request set-header host ${single(at, formatText(at, rewrite.host))} ${when}`,
    );
  }
  return rules;
}

/** A template in a log format: parameters are the parts of the path where they stand. */
function formatOf(at: string, template: string, path: string): string {
  return pieces(template, path, 'part')
    .map((piece) => {
      if ('text' in piece) return formatText(at, piece.text);
      // The first field is what stands before the first slash. Two slashes would name a host.
      const field = piece.index + 1;
      return piece.isRest ? `%[path,field(${field},/,0),ltrim(/)]` : `%[path,field(${field},/)]`;
    })
    .join('');
}

function backendRules({ id, upstream }: RouteTask): string[] {
  if (!upstream) return [];
  const { pools } = upstream;
  // One after the other, each drawn from what those before it left.
  let left = pools.reduce((total, { share }) => total + share, 0);
  return pools.map(({ id: pool, share }, index) => {
    const isLast = index === pools.length - 1;
    const drawn = isLast ? '' : ` { rand(10000) lt ${Math.round((share / left) * 10_000)} }`;
    left -= share;
    return `  use_backend ${pool} if ${isRoute(id)}${drawn}`;
  });
}

function backendsOf(upstream: Upstream): string[] {
  const { at, pools, policy } = upstream;
  const timeout = inMs(policy.attemptTimeoutUs);
  const retries =
    policy.attempts > 1
      ? [
          `  retries ${policy.attempts - 1}`,
          '  option redispatch 1',
          '  retry-on conn-failure empty-response junk-response response-timeout 502 503 504',
          // What did not arrive may be repeated always; what may have had an effect only where that is safe.
          `  http-request disable-l7-retry unless { method -m str -- ${repeatable.join(' ')} }`,
        ]
      : ['  retries 0'];
  return pools.flatMap(({ id, servers }) => [
    `backend ${id}`,
    ...balancing(at, policy),
    `  timeout connect ${timeout}`,
    `  timeout queue ${timeout}`,
    `  timeout server ${timeout}`,
    ...retries,
    ...stageLines(upstream),
    ...paceLines(
      servers.map((_, index) => `${id}/${id}_${index}`),
      upstream,
    ),
    ...servers.map(
      ({ host, port }, index) =>
        `  server ${id}_${index} ${host}:${port}${serverOptions(`${id}_${index}`, upstream)}`,
    ),
    '',
  ]);
}

function inMs(us: number): string {
  return `${Math.max(1, Math.ceil(us / 1_000))}ms`;
}

function balancing(at: string, policy: Upstream['policy']): string[] {
  switch (policy.balance) {
    case 'least-requests':
    case 'latency':
      return ['  balance leastconn'];
    case 'round-robin':
      return ['  balance roundrobin'];
    case 'two-choices':
      return ['  balance random(2)'];
    case 'random':
      return ['  balance random(1)'];
    case 'source-hash':
      return [`  balance hash ${hashFetch(at, policy)}`, '  hash-type map-based'];
    case 'consistent-hash': {
      const factor = Math.max(101, Math.round(100 * (1 + (policy.hash?.overload ?? 0.25))));
      return [
        `  balance hash ${hashFetch(at, policy)}`,
        '  hash-type consistent',
        `  hash-balance-factor ${factor}`,
      ];
    }
  }
}

function hashFetch(at: string, policy: Upstream['policy']): string {
  const { kind, name } = hashKeyOf(policy);
  if (kind === 'ip') return 'src';
  if (kind === 'url') return 'pathq';
  return kind === 'cookie' ? `req.cook(${token(at, name)})` : `req.fhdr(${token(at, name)},1)`;
}

function policyRemarks({ at, policy }: Upstream, remarks: Remarks): void {
  if (policy.balance === 'latency') {
    remarks.approximated(`${at}.balance`, 'leastconn', 'HAProxy does not balance by latency.');
  }
  remarks.approximated(
    `${at}.attemptTimeout`,
    'timeout connect and timeout server',
    'They bound connecting and each silence of a server, not an attempt as a whole: an answer that trickles may take longer.',
  );
  remarks.approximated(
    `${at}.timeout`,
    'attempts times the timeout of an attempt',
    'HAProxy has no deadline over all attempts, and passes none on to the service.',
  );
  if (!policy.health) {
    remarks.missing(
      `${at}.avoid`,
      'a server that failed gets its share again at once',
      'Without health checks HAProxy forgets a failure. Retries go elsewhere; add `check` to the servers to take a dead one out.',
    );
  }
  if (policy.attempts > 1) {
    remarks.missing(
      `${at}.retry.budget`,
      'every request may be repeated',
      'HAProxy counts no retries. In an overload attempts multiply: keep attempts low.',
    );
    remarks.approximated(
      `${at}.retry.backoff`,
      'no wait before another server; a second, or timeout connect if less, before the same',
      'HAProxy knows no other wait.',
    );
    remarks.approximated(
      `${at}.retry.attempts`,
      'only a request that fits a buffer is repeated',
      'It must be kept to be sent again: 16 kB with its headers (tune.bufsize).',
    );
  }
}

interface Tables {
  readonly rules: readonly string[];
  readonly sections: readonly string[];
}

function tablesOf({ limits, routes, locations, gateway }: ProxyTask, remarks: Remarks): Tables {
  const rules: string[] = [];
  if (limits.some(({ limit }) => limit.by === 'location')) {
    for (const { network, name } of [...locations].sort(byLength)) {
      const at = `${gateway}.locations`;
      rules.push(
        `  http-request set-var(txn.location) str(${token(at, name)}) if { src ${network} }`,
      );
    }
  }
  const expressed: LimitTask[] = [];
  /** By route: what its requests are followed by. Those of the gateway come first, and are alike for all. */
  const shared = limits.filter((one) => routes.every((route) => route.limits.includes(one)));
  const place = (one: LimitTask, index: number, routeId: string | undefined) => {
    const { limit, at } = one;
    if (limit.algorithm === 'leaky-queue' || limit.over === 'delay') {
      remarks.missing(
        at,
        'nothing',
        'HAProxy refuses what comes too soon; it does not delay by key.',
      );
      return false;
    }
    if (index >= trackedMax) {
      remarks.missing(
        at,
        'nothing',
        `HAProxy follows ${trackedMax} keys of a request, and others came first.`,
      );
      return false;
    }
    limitRemarks(one, remarks);
    if (!expressed.includes(one)) expressed.push(one);
    rules.push(...limitRules(one, index, routeId));
    return true;
  };
  let used = 0;
  for (const one of shared) if (place(one, used, undefined)) used++;
  for (const { id, limits: own } of routes) {
    let index = used;
    for (const one of own) {
      if (shared.includes(one)) continue;
      if (place(one, index, id)) index++;
    }
  }
  // All are asked before any is charged.
  const order = (rule: string) =>
    rule.includes('sc-inc-gpc0') ? 2 : rule.includes('return status 429') ? 1 : 0;
  return {
    rules: rules
      .map((rule, i) => ({ rule, i }))
      .sort((a, b) => order(a.rule) - order(b.rule) || a.i - b.i)
      .map(({ rule }) => rule),
    sections: expressed.flatMap(({ id, limit }) => {
      const { period } = lawOf(limit);
      const store = limit.algorithm === 'concurrency' ? 'conn_cur' : `gpc0,gpc0_rate(${period}ms)`;
      const type =
        limit.by === 'ip' || limit.by === 'user' || limit.by === 'network'
          ? 'ipv6'
          : 'string len 128';
      return [
        `backend ${id}`,
        `  stick-table type ${type} size ${limit.keysMax} expire ${Math.max(10_000, 2 * period)}ms store ${store}`,
        '',
      ];
    }),
  };
}

function limitRules(
  { id, at, limit }: LimitTask,
  index: number,
  routeId: string | undefined,
): string[] {
  const only = keyConditions(at, limit);
  const here = routeId === undefined ? '' : isRoute(routeId);
  const conditions = [here, only].filter((one) => one !== '').join(' ');
  const when = conditions === '' ? '' : ` if ${conditions}`;
  const also = conditions === '' ? '' : `${conditions} `;
  const { count, retryAfter } = lawOf(limit);
  const isOpen = limit.algorithm === 'concurrency';
  const seen = isOpen
    ? `sc_conn_cur(${index}) gt ${limit.openMax}`
    : `sc_gpc0_rate(${index}) ge ${count}`;
  return [
    `  http-request track-sc${index} ${keyOf(at, limit)} table ${id}${when}`,
    `  http-request return status 429 hdr retry-after ${retryAfter} if ${also}{ ${seen} }`,
    ...(isOpen ? [] : [`  http-request sc-inc-gpc0(${index})${when}`]),
  ];
}

/** So many in a period: a bucket's burst in the time that fills it again has the same average. */
function lawOf({ algorithm, rate, burst, cost }: LimitConfig): {
  readonly count: number;
  readonly period: number;
  readonly retryAfter: number;
} {
  const perSec = ratePerSec(rate);
  const isPace =
    algorithm === 'token-bucket' || algorithm === 'gcra' || algorithm === 'leaky-meter';
  const units = isPace ? burst : rate.count;
  const period = Math.max(1, Math.round((units / perSec) * 1_000));
  return {
    count: Math.max(1, Math.floor(units / cost)),
    period,
    retryAfter: Math.max(1, Math.ceil(cost / perSec)),
  };
}

function keyOf(at: string, { by, header }: LimitConfig): string {
  switch (by) {
    case 'ip':
    case 'user':
      return 'src';
    case 'network':
      return 'src,ipmask(24,64)';
    case 'header':
      return `req.fhdr(${token(at, header)},1)`;
    case 'location':
      return 'var(txn.location)';
    case 'route':
      return 'var(txn.route)';
    case 'service':
    case 'all':
      return 'str(all)';
  }
}

function keyConditions(at: string, limit: LimitConfig): string {
  const { only, except } = limit;
  const key = keyOf(at, limit);
  const list = (keys: readonly string[]) => keys.map((one) => single(at, one)).join(' ');
  return [
    only.length > 0 ? `{ ${key} -m str -- ${list(only)} }` : '',
    except.length > 0 ? `!{ ${key} -m str -- ${list(except)} }` : '',
  ]
    .filter((one) => one !== '')
    .join(' ');
}

function limitRemarks({ at, limit }: LimitTask, remarks: Remarks): void {
  const { algorithm, rate, tier, tell, by, cost } = limit;
  const { count, period } = lawOf(limit);
  if (algorithm === 'concurrency') {
    remarks.approximated(at, 'conn_cur of a stick table', 'What waits for a server counts too.');
  } else {
    remarks.approximated(
      `${at}.algorithm`,
      `${count} in any ${period} ms, by a stick table`,
      /window|sliding/.test(algorithm)
        ? `A period that slides, weighed from two counts, in place of ${algorithm}; ${rate.count} in it as here.`
        : 'HAProxy counts over a period and has no bucket: the average is the same, and a burst comes back only when the period has passed.',
    );
  }
  if (cost > 1)
    remarks.approximated(
      `${at}.cost`,
      'the limit divided by it',
      'In a stick table every request counts 1.',
    );
  if (by === 'user')
    remarks.approximated(
      `${at}.by`,
      'counted by address',
      'Who was authenticated is not exported.',
    );
  if (by === 'service')
    remarks.approximated(
      `${at}.by`,
      'all services together',
      'The service is chosen after its limits were asked.',
    );
  if (tier !== '')
    remarks.approximated(
      `${at}.tier`,
      'it holds for everybody',
      'The tier of a caller is not exported.',
    );
  if (tell === 'always')
    remarks.missing(
      `${at}.tell`,
      'a 429 carries Retry-After only',
      'RateLimit fields are not written.',
    );
}

/** Shorter networks first: the last that covers an address is the longest. */
function byLength(a: { readonly network: string }, b: { readonly network: string }): number {
  const lengthOf = ({ network }: { readonly network: string }) =>
    Number(network.split('/')[1] ?? 128);
  return lengthOf(a) - lengthOf(b);
}
