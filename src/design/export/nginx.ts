/**
 * The task as an `nginx.conf`, for nginx 1.22 and later without modules.
 *
 * nginx chooses a server by host and then a location by path. A route with conditions on method, headers,
 * cookies or query is chosen by a `map` instead, which holds all routes of a host in the order in which
 * they are tried: one digit for each condition, then the path.
 */
import type { LimitConfig } from '../../blocks/edge/gateway/config.ts';
import { ratePerSec } from '../../kit/units.ts';
import { connectionRemarks } from './connections.ts';
import { isServed } from './entry.ts';
import { Conditions } from './nginx-conditions.ts';
import { type NginxEntry, nginxEntry } from './nginx-entry.ts';
import { type Keyed, limitKeys, limitRemarks, rateText } from './nginx-limits.ts';
import { identifier, literal, quoted } from './nginx-text.ts';
import { captures, decoded, escaped, pathPattern, pieces } from './patterns.ts';
import type { Remarks } from './remarks.ts';
import {
  type HostGroup,
  hashKeyOf,
  hostGroups,
  type LimitTask,
  type ProxyTask,
  type RouteTask,
  saidByOthers,
  type Upstream,
} from './task.ts';
import { plainText, remarkText } from './words.ts';

export const nginxStages = ['outliers', 'bulkhead'];

export function nginxOf(task: ProxyTask, remarks: Remarks): string {
  return new Writer(task, remarks).write();
}

class Writer {
  readonly #task: ProxyTask;
  readonly #remarks: Remarks;
  readonly #conditions: Conditions;
  readonly #keys: ReadonlyMap<LimitTask, Keyed>;
  /** What stands once for all locations that say nothing else. */
  readonly #usual: string;
  readonly #entry: NginxEntry;

  constructor(task: ProxyTask, remarks: Remarks) {
    this.#task = task;
    this.#remarks = remarks;
    this.#conditions = new Conditions(task.routes, remarks);
    this.#usual = usualAttempts(task).join();
    this.#entry = nginxEntry(task.gateway, task.entry, remarks);
    this.#keys = limitKeys(task.limits, task.locations, remarks);
  }

  write(): string {
    const { design, gateway, openMax, listen, workers, entry } = this.#task;
    const { connections } = entry;
    const servers = hostGroups(this.#task.routes)
      .filter(({ host }) => host === null || isServed(host, this.#task.entry))
      .map((group, index) => this.#server(group, index));
    const maps = servers.flatMap(({ map }) => map);
    this.#remarkAll();
    return lines([
      `# The gateway ${remarkText(gateway)} of ${remarkText(design)} for nginx, written by \`loadpath export\`.`,
      '# It needs no root:  nginx -p . -c nginx.conf',
      '',
      `worker_processes ${workers?.count ?? 'auto'};`,
      'pid nginx.pid;',
      'error_log stderr warn;',
      'events {',
      // A request that is passed on takes two.
      `  worker_connections ${Math.min(65_536, openMax + (connections.isAsked ? connections.max : openMax) + 64)};`,
      '}',
      'http {',
      '  access_log off;',
      '  server_tokens off;',
      '  client_body_temp_path body_temp;',
      '  proxy_temp_path proxy_temp;',
      '  fastcgi_temp_path fastcgi_temp;',
      '  uwsgi_temp_path uwsgi_temp;',
      '  scgi_temp_path scgi_temp;',
      '  # A path is matched as it came, without a slash less.',
      '  merge_slashes off;',
      '  absolute_redirect off;',
      '  server_names_hash_bucket_size 256;',
      '  map_hash_bucket_size 256;',
      '  variables_hash_max_size 4096;',
      `  client_header_timeout ${inMs(connections.headersTimeoutUs)};`,
      `  client_body_timeout ${inMs(connections.requestTimeoutUs)};`,
      `  keepalive_timeout ${inMs(connections.keepAliveUs)};`,
      '  keepalive_requests 1000000;',
      '  proxy_http_version 1.1;',
      '  proxy_buffers 16 16k;',
      '  proxy_buffer_size 16k;',
      ...[
        ...toldHeaders('$http_host', '""'),
        ...this.#entry.told,
        ...usualAttempts(this.#task),
      ].map((line) => `  ${line}`),
      '  limit_req_status 429;',
      '  limit_req_log_level warn;',
      '  limit_conn_status 429;',
      '  geo $dollar {',
      '    default "$";',
      '  }',
      ...this.#entry.http,
      ...this.#limitZones(),
      ...this.#conditions.maps(),
      ...maps,
      ...this.#task.upstreams.flatMap((upstream) => this.#upstream(upstream)),
      ...servers.flatMap(({ text }) => text),
      '}',
    ])
      .replace(/listen LISTEN[^;]*/, (first) => first + lineOptions(workers))
      .replaceAll(
        'LISTEN',
        listen.host === '*' ? `${listen.port}` : `${listen.host}:${listen.port}`,
      );
  }

  #limitZones(): string[] {
    const { limits } = this.#task;
    if (limits.length === 0) return [];
    const zones = limits.flatMap((task) => {
      const { limit, id } = task;
      const { key, maps } = this.#keys.get(task)!;
      // About 128 bytes a key.
      const size = `${Math.max(1, Math.ceil((limit.keysMax * 128) / 2 ** 20))}m`;
      const zone =
        limit.algorithm === 'concurrency'
          ? `  limit_conn_zone ${key} zone=${id}:${size};`
          : `  limit_req_zone ${key} zone=${id}:${size} rate=${rateText(limit)};`;
      return [...maps, zone];
    });
    return [
      ...zones,
      // How long until there is room for one more.
      '  map $status $retry_after {',
      `    429 ${Math.max(1, ...limits.map(({ limit }) => Math.ceil(1 / ratePerSec(limit.rate))))};`,
      '    default "";',
      '  }',
      '  add_header Retry-After $retry_after always;',
    ];
  }

  #upstream({ id, at, pools, policy }: Upstream): string[] {
    const blocks = pools.flatMap((pool) => [
      `  upstream ${pool.id} {`,
      `    zone ${pool.id} 256k;`,
      ...balancing(at, policy),
      ...pool.servers.map(
        ({ host, port }) =>
          `    server ${host}:${port}${serverOptions(policy, pool.servers.length)};`,
      ),
      '    keepalive 256;',
      '    keepalive_requests 1000000;',
      '  }',
    ]);
    if (pools.length === 1 && pools[0]!.id === id) return blocks;
    const sum = pools.reduce((total, { share }) => total + share, 0);
    const shares = pools.map(({ id: pool, share }, index) => {
      const percent = Math.round((share / sum) * 10_000) / 100;
      return `    ${index === pools.length - 1 ? '*' : `${percent}%`} ${pool};`;
    });
    return [...blocks, `  split_clients $request_id $split_${id} {`, ...shares, '  }'];
  }

  #server(group: HostGroup, index: number): { readonly map: string[]; readonly text: string[] } {
    const { host, routes } = group;
    const isChosen = routes.some((one) => this.#conditions.digits(one.route).length > 0);
    const hosts = this.#task.entry.requests?.hosts ?? [];
    const isAny = host === null && hosts.length === 0;
    // Hosts with routes of their own have a server of their own.
    const named = new Set(this.#task.routes.map(({ route }) => route.host));
    const others = hosts.filter((one) => !named.has(one));
    const names = host === null && !isAny ? others : [host ?? '_'];
    const head = [
      // Who is for some hosts only says so to all others.
      ...(host === null && !isAny
        ? ['  server {', '    listen LISTEN default_server;', '    return 421;', '  }']
        : []),
      '  server {',
      `    listen LISTEN${isAny ? ' default_server' : ''};`,
      `    server_name ${names.map((one) => plainText('host', one)).join(' ') || 'nobody.invalid'};`,
      ...this.#entry.server,
      `    client_max_body_size ${this.#task.bodyMaxBytes};`,
    ];
    if (!isChosen) {
      const everything = routes.some((one) => location(one) === '/');
      return {
        map: [],
        text: [
          ...head,
          ...unique(routes, location).flatMap((one) => this.#location(location(one), one)),
          ...(everything ? [] : ['    location / {', '      return 404;', '    }']),
          '  }',
        ],
      };
    }
    const chosen = routes.map((one) => {
      const pattern = `~^${this.#conditions.pattern(one.route)}${pathPattern(inPlain(one))}`;
      return `    ${literal(one.at, pattern)} ${one.id};`;
    });
    // In another way it would have been taken.
    const astray = routes
      .filter(({ route }) => route.methods.length > 0)
      .map(({ at, route }) => {
        const others = this.#conditions.pattern({ ...route, methods: [] });
        const pattern = `~^${others}${pathPattern({ ...route, path: decoded(route.path) })}`;
        return `    ${literal(at, pattern)} not_allowed;`;
      });
    return {
      map: [
        `  map "${this.#conditions.source}$uri" $taken_${index} {`,
        ...chosen,
        ...astray,
        '    default not_found;',
        '  }',
      ],
      text: [
        ...head,
        '    location / {',
        `      try_files /=nothing @$taken_${index};`,
        '    }',
        '    location @not_found {',
        '      return 404;',
        '    }',
        '    location @not_allowed {',
        '      return 405;',
        '    }',
        ...routes.flatMap((one) => this.#location(`@${one.id}`, one)),
        '  }',
      ],
    };
  }

  #location(place: string, one: RouteTask): string[] {
    const { route, upstream, closed, bodyMaxBytes } = one;
    const inside: string[] = [];
    if (bodyMaxBytes !== this.#task.bodyMaxBytes) {
      inside.push(`client_max_body_size ${bodyMaxBytes};`);
    }
    if (closed !== undefined) inside.push(`return ${closed};`);
    else if (route.to.type === 'redirect') inside.push(...this.#redirect(one));
    else if (upstream) inside.push(...this.#limits(one), ...this.#pass(one, upstream));
    return [`    location ${place} {`, ...inside.map((line) => `      ${line}`), '    }'];
  }

  #limits(one: RouteTask): string[] {
    const { limits } = one;
    if (limits.length === 0) return [];
    const counts = (by: LimitConfig['by']) => limits.some(({ limit }) => limit.by === by);
    return [
      ...(counts('route') ? [`set $route_id ${one.id};`] : []),
      ...(counts('service') ? [`set $service_id ${one.upstream?.id ?? 'none'};`] : []),
      ...limits.map(({ id, limit }) => use(id, limit)),
    ];
  }

  #pass({ at, route }: RouteTask, { id, pools, policy }: Upstream): string[] {
    const { rewrite } = route;
    const inside: string[] = [];
    if (rewrite?.path != null) {
      const target = templateOf(at, rewrite.path, route.path);
      inside.push(
        `rewrite ${literal(at, `^${captures(decoded(route.path), '[^/]+')}$`)} ${target} break;`,
      );
    } else if (rewrite && rewrite.strip !== '') {
      const prefix = escaped(decoded(rewrite.strip));
      inside.push(`rewrite ${literal(at, `^${prefix}/?(.*)$`)} "/$1" break;`);
    }
    if (rewrite?.host != null)
      inside.push(...toldHeaders(quoted(at, rewrite.host), '$http_host'), ...this.#entry.told);
    const attempts = attemptLines(policy);
    if (attempts.join() !== this.#usual) inside.push(...attempts);
    const isSplit = pools.length > 1 || pools[0]?.id !== id;
    inside.push(`proxy_pass http://${isSplit ? `$split_${id}` : id};`);
    return inside;
  }

  /**
   * From the address as it was written: what nginx has decoded may hold the end of a header line.
   * Leading slashes of the rest are left out, since two of them would name a host.
   */
  #redirect({ at, route }: RouteTask): string[] {
    if (route.to.type !== 'redirect') return [];
    const { to, status } = route.to;
    const isPattern = pieces(to, route.path, 'group').some((piece) => 'index' in piece);
    const join = to.includes('?') ? '$query_join' : '$is_args$args';
    const target = `${templateOf(at, to, route.path).slice(0, -1)}${join}"`;
    const join2 =
      join === '$query_join'
        ? ['set $query_join "";', 'if ($args) {', '  set $query_join "&$args";', '}']
        : [];
    if (!isPattern) return [...join2, `return ${status} ${target};`];
    const source = captures(route.path, '[^/?]+').replace('(.*)', '([^?]*)');
    return [
      ...join2,
      `if ($request_uri ~ ${literal(at, `^${source}(?:[?]|$)`)}) {`,
      `  return ${status} ${target};`,
      '}',
      'return 400;',
    ];
  }

  #remarkAll(): void {
    const remarks = this.#remarks;
    limitRemarks(this.#task, remarks);
    connectionRemarks('nginx', this.#task.gateway, this.#task.entry.connections, remarks);
    for (const upstream of this.#task.upstreams) policyRemarks(upstream, remarks);
    const { gateway, routes } = this.#task;
    remarks.approximated(
      `${gateway}.openMax`,
      'worker_connections bounds connections of each worker process',
      'nginx counts connections, not requests, and closes what is beyond; the gateway answers 503.',
    );
    if (routes.some(({ route }) => route.methods.length > 0)) {
      remarks.approximated(
        `${gateway}.routes.methods`,
        '405 comes without Allow',
        'A location does not know what the others take.',
      );
    }
    for (const { at, route } of routes) {
      if (!route.rewrite || (route.rewrite.path === null && route.rewrite.strip === '')) continue;
      remarks.approximated(
        `${at}.rewrite`,
        'the path is decoded, rewritten and encoded again',
        'An encoded slash becomes a slash in the rewritten path; the gateway leaves it as it was written.',
      );
    }
  }
}

function policyRemarks({ at, policy, pools }: Upstream, remarks: Remarks): void {
  if (policy.outliers) {
    const why =
      'So many failures within the time take a server out for as long; success rates are not compared.';
    remarks.approximated(`${at}.outliers`, 'max_fails and fail_timeout', why);
  }
  if (policy.bulkhead) {
    const why = 'nginx bounds connections by server, and has no queue without a subscription.';
    remarks.approximated(`${at}.bulkhead`, 'max_conns of each server', why);
  }
  if (policy.balance === 'latency') {
    const why = 'nginx measures no latency without a subscription (least_time).';
    remarks.approximated(`${at}.balance`, 'the less busy of two drawn', why);
  }
  if (policy.balance === 'consistent-hash') {
    const why = 'The ring of nginx has no bound on load: a hot key stays where it is.';
    remarks.missing(`${at}.hash.overload`, 'nothing', why);
  }
  remarks.approximated(
    `${at}.attemptTimeout`,
    'proxy_connect_timeout, proxy_send_timeout and proxy_read_timeout',
    'They bound connecting and each pause between two reads or writes, not an attempt as a whole: an answer that trickles may take longer.',
  );
  remarks.approximated(
    `${at}.timeout`,
    policy.attempts > 1 ? 'proxy_next_upstream_timeout' : 'the timeout of an attempt',
    'It bounds when another server may still be tried, not the whole; and no deadline is passed on to the service.',
  );
  if (!policy.outliers) {
    remarks.approximated(
      `${at}.avoid`,
      'max_fails=1 fail_timeout=1s',
      'A server that failed is passed over for 1 s, the least that nginx knows; the gateway takes 0.5 s.',
    );
  }
  remarks.approximated(
    `${at}.failure`,
    'a service that cannot be reached is answered with 502',
    'nginx has one status for refused and broken off; the gateway says 503 when nothing arrived.',
  );
  if (policy.attempts > 1) {
    remarks.missing(
      `${at}.retry.budget`,
      'every request may be repeated',
      'nginx counts no retries. In an overload attempts multiply: keep attempts low.',
    );
    remarks.missing(
      `${at}.retry.backoff`,
      'the next server is tried at once',
      'nginx does not wait before a retry.',
    );
    if (pools.some(({ servers }) => servers.length === 1)) {
      remarks.approximated(
        `${at}.retry.attempts`,
        'a request is repeated at another server only',
        'With one address there is no other; the gateway asks the same again.',
      );
    }
  }
}

/** What a service is told of the request, and what it is not. */
function toldHeaders(host: string, forwardedHost: string): string[] {
  return [
    `proxy_set_header Host ${host};`,
    'proxy_set_header Connection "";',
    'proxy_set_header TE "";',
    'proxy_set_header Proxy-Connection "";',
    'proxy_set_header X-Forwarded-For $remote_addr;',
    ...saidByOthers.map((name) => {
      return `proxy_set_header ${name} ${name === 'x-forwarded-host' ? forwardedHost : '""'};`;
    }),
  ];
}

function usualAttempts({ upstreams }: ProxyTask): string[] {
  return upstreams.length === 0 ? [] : attemptLines(upstreams[0]!.policy);
}

function attemptLines({ attempts, attemptTimeoutUs, timeoutUs }: Upstream['policy']): string[] {
  const each = inMs(attemptTimeoutUs);
  const again =
    attempts > 1
      ? [
          // What may have had an effect is repeated only where that is safe: so nginx does by itself.
          'proxy_next_upstream error timeout invalid_header http_502 http_503 http_504;',
          `proxy_next_upstream_tries ${attempts};`,
          `proxy_next_upstream_timeout ${inMs(timeoutUs)};`,
        ]
      : ['proxy_next_upstream off;'];
  return [
    `proxy_connect_timeout ${each};`,
    `proxy_send_timeout ${each};`,
    `proxy_read_timeout ${each};`,
    ...again,
  ];
}

function balancing(at: string, policy: Upstream['policy']): string[] {
  switch (policy.balance) {
    case 'least-requests':
      return ['    least_conn;'];
    case 'round-robin':
      return [];
    case 'two-choices':
    case 'latency':
      return ['    random two least_conn;'];
    case 'random':
      return ['    random;'];
    case 'source-hash':
      return [`    hash ${hashVariable(at, policy)};`];
    case 'consistent-hash':
      return [`    hash ${hashVariable(at, policy)} consistent;`];
  }
}

/** A server that failed is passed over; with a bulkhead it is not asked beyond its part. */
function serverOptions({ outliers, bulkhead }: Upstream['policy'], serverCount: number): string {
  const fails = outliers
    ? ` max_fails=${outliers.consecutive} fail_timeout=${Math.ceil(outliers.ejectForUs / 1e6)}s`
    : ' max_fails=1 fail_timeout=1s';
  return bulkhead ? `${fails} max_conns=${Math.ceil(bulkhead.slots / serverCount)}` : fails;
}

function hashVariable(at: string, policy: Upstream['policy']): string {
  const { kind, name } = hashKeyOf(policy);
  if (kind === 'ip') return '$remote_addr';
  if (kind === 'url') return '$request_uri';
  if (kind === 'cookie') return `$cookie_${identifier(at, name)}`;
  return `$http_${identifier(at, name.replaceAll('-', '_'))}`;
}

/** Two routes for one path, without conditions: the second is never reached. */
function unique(
  routes: readonly RouteTask[],
  keyOf: (one: RouteTask) => string,
): readonly RouteTask[] {
  const met = new Set<string>();
  return routes.filter((one) => {
    const key = keyOf(one);
    return !met.has(key) && met.add(key);
  });
}

function location({ at, route }: RouteTask): string {
  const plain = { ...route, path: decoded(route.path) };
  if (route.path === '/') return route.isExact ? '= /' : '/';
  return `~ ${literal(at, `^${pathPattern(plain)}`)}`;
}

function inPlain({ route }: RouteTask): { readonly path: string; readonly isExact: boolean } {
  return { path: decoded(route.path), isExact: route.isExact };
}

function templateOf(at: string, template: string, path: string): string {
  const parts = pieces(template, path, 'group').map((piece) =>
    'index' in piece ? `$${piece.index}` : quoted(at, piece.text).slice(1, -1),
  );
  return `"${parts.join('')}"`;
}

function use(id: string, limit: LimitConfig): string {
  const { algorithm, over, burst, queueMax, openMax, cost, rate } = limit;
  if (algorithm === 'concurrency') return `limit_conn ${id} ${openMax};`;
  if (algorithm === 'leaky-queue') return `limit_req zone=${id} burst=${queueMax};`;
  const isPace =
    algorithm === 'token-bucket' || algorithm === 'gcra' || algorithm === 'leaky-meter';
  // What nginx calls burst comes on top of the one that the rate allows.
  const atOnce = Math.max(0, Math.floor((isPace ? burst : rate.count) / cost) - 1);
  if (over === 'delay')
    return `limit_req zone=${id} burst=${atOnce + queueMax}${atOnce > 0 ? ` delay=${atOnce}` : ''};`;
  return `limit_req zone=${id}${atOnce > 0 ? ` burst=${atOnce} nodelay` : ''};`;
}

function inMs(us: number): string {
  return `${Math.max(1, Math.ceil(us / 1_000))}ms`;
}

function lines(all: readonly string[]): string {
  return `${all.join('\n')}\n`;
}

/** Said once for a port, however many servers are there. */
function lineOptions(workers: ProxyTask['workers']): string {
  if (!workers) return '';
  return `${workers.how === 'sharded' ? ' reuseport' : ''} backlog=${workers.backlog}`;
}
