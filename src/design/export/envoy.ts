/**
 * The task as the static configuration of Envoy (v3 API). Envoy is closest to what the gateway does:
 * it alone has retry budgets, deadlines over all attempts, and ejects instances by itself.
 *
 * A route becomes one or two of Envoy's: methods that may be repeated get the whole retry policy, the
 * others are tried again only when they did not arrive.
 */
import type { Condition, LimitConfig, RouteConfig } from '../../blocks/edge/gateway/config.ts';
import { connectionRemarks } from './connections.ts';
import { type EntryTask, inSeconds, isServed, lesser, squeezable } from './entry.ts';
import { listenerOf } from './envoy-listener.ts';
import { captures, hasParameters, pathPattern, pieces } from './patterns.ts';
import type { Remarks } from './remarks.ts';
import {
  hashKeyOf,
  hostGroups,
  type LimitTask,
  type ProxyTask,
  type RouteTask,
  repeatable,
  saidByOthers,
  type Upstream,
} from './task.ts';
import { plainText, remarkText } from './words.ts';
import { type Data, type Fields, yamlOf } from './yaml.ts';

const api = 'type.googleapis.com/envoy.extensions';

export function envoyOf(task: ProxyTask, remarks: Remarks): string {
  const { design, gateway, routes, limits, upstreams, openMax } = task;
  for (const one of limits) limitRemarks(one, remarks);
  for (const one of upstreams) policyRemarks(one, remarks);
  remarks.approximated(
    `${gateway}.openMax`,
    'max_requests of each cluster',
    'Envoy bounds requests by the service that they go to, not all together.',
  );
  const { compress, requests, trace, connections } = task.entry;
  connectionRemarks('envoy', gateway, connections, remarks);
  if (compress) {
    remarks.approximated(
      `${gateway}.compress`,
      'gzip, for a list of types',
      'Types are named here, and Brotli is a filter of its own.',
    );
  }
  if (requests) {
    remarks.missing(
      `${gateway}.requests.urlMax`,
      '16 kB of headers in all, beyond it 431',
      'Envoy bounds headers and address together.',
    );
    remarks.missing(
      `${gateway}.requests.hosts`,
      'another host is answered with 404',
      'Envoy has no route for it; the gateway says 421.',
    );
  }
  if (trace && trace.idHeader !== 'x-request-id') {
    remarks.approximated(
      `${gateway}.trace.idHeader`,
      'x-request-id',
      'Envoy knows its number by that name only.',
    );
  }
  if (trace)
    remarks.approximated(
      `${gateway}.trace`,
      'traceparent stays as it came',
      'Envoy writes it where a tracer is configured.',
    );
  const config: Fields = {
    static_resources: {
      listeners: [listenerOf(task, manager(task, routes), remarks)],
      clusters: upstreams.flatMap((one) => clusters(one, openMax)),
    },
  };
  const head = `# The gateway ${remarkText(gateway)} of ${remarkText(design)} for Envoy, written by \`loadpath export\`.\n# envoy -c envoy.yaml\n\n`;
  return head + yamlOf(config);
}

function manager(task: ProxyTask, routes: readonly RouteTask[]): Fields {
  const { gateway, bodyMaxBytes, entry } = task;
  const { cors, trace, connections } = entry;
  const allowed = entry.requests?.hosts ?? [];
  const shared = task.limits.filter(
    (one) =>
      isExpressed(one.limit) &&
      one.limit.by === 'all' &&
      routes.every((route) => route.limits.includes(one)),
  );
  const filters: Fields[] = [
    ...entryFilters(entry),
    ...shared.map((one, index) => ({
      name: `limit_${index}`,
      typed_config: localLimit(one),
    })),
    ...(task.limits.length > shared.length
      ? [
          {
            name: 'route_limit',
            typed_config: { '@type': localLimitType, stat_prefix: 'route_limit' },
          },
        ]
      : []),
    {
      name: 'envoy.filters.http.buffer',
      typed_config: {
        '@type': `${api}.filters.http.buffer.v3.Buffer`,
        max_request_bytes: bodyMaxBytes,
      },
    },
    {
      name: 'envoy.filters.http.router',
      typed_config: { '@type': `${api}.filters.http.router.v3.Router` },
    },
  ];
  return {
    name: 'envoy.filters.network.http_connection_manager',
    typed_config: {
      '@type': `${api}.filters.network.http_connection_manager.v3.HttpConnectionManager`,
      stat_prefix: plainText('gateway', gateway),
      use_remote_address: true,
      // In place of what a client says of where it comes from.
      xff_num_trusted_hops: 0,
      skip_xff_append: true,
      normalize_path: true,
      merge_slashes: false,
      path_with_escaped_slashes_action: 'KEEP_UNCHANGED',
      strip_any_host_port: false,
      common_http_protocol_options: {
        idle_timeout: seconds(connections.keepAliveUs),
        max_headers_count: headersMax(entry),
        headers_with_underscores_action: 'REJECT_REQUEST',
      },
      request_headers_timeout: seconds(connections.headersTimeoutUs),
      request_timeout: seconds(connections.requestTimeoutUs),
      max_request_headers_kb: Math.ceil(
        lesser(entry.requests?.headerBytesMaxBytes, connections.headerMaxBytes) / 1_024,
      ),
      generate_request_id: true,
      preserve_external_request_id: trace?.trust ?? false,
      always_set_request_id_in_response: trace !== null,
      route_config: {
        name: 'routes',
        ignore_port_in_host_matching: true,
        virtual_hosts: hostGroups(routes)
          .filter(({ host }) => host === null || isServed(host, entry))
          .map(({ host, routes: own }, index) => ({
            name: `host_${index}`,
            domains: host === null && allowed.length > 0 ? allowed : [host ?? '*'],
            typed_per_filter_config: cors ? { cors: corsPolicy(cors) } : undefined,
            response_headers_to_add: addedHeaders(gateway, entry),
            request_headers_to_remove: ['x-forwarded-for', ...saidByOthers, 'te', ...entry.taken],
            request_headers_to_add: [
              {
                header: {
                  key: 'x-forwarded-for',
                  value: '%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%',
                },
                append_action: 'OVERWRITE_IF_EXISTS_OR_ADD',
              },
            ],
            routes: own.flatMap((one) => routesOf(one, task.bodyMaxBytes, shared)),
          })),
      },
      http_filters: filters,
    },
  };
}

function headersMax({ requests, connections }: EntryTask): number | undefined {
  if (!requests && !connections.isAsked) return undefined;
  return lesser(requests?.headersMax, connections.isAsked && connections.headersMax);
}

function entryFilters({ cors, compress }: EntryTask): Fields[] {
  return [
    ...(cors
      ? [{ name: 'cors', typed_config: { '@type': `${api}.filters.http.cors.v3.Cors` } }]
      : []),
    ...(compress
      ? [
          {
            name: 'compressor',
            typed_config: {
              '@type': `${api}.filters.http.compressor.v3.Compressor`,
              response_direction_config: {
                common_config: { min_content_length: compress.minBytes, content_type: squeezable },
              },
              compressor_library: {
                name: 'gzip',
                typed_config: { '@type': `${api}.compression.gzip.compressor.v3.Gzip` },
              },
            },
          },
        ]
      : []),
  ];
}

function corsPolicy({
  origins,
  methods,
  headers,
  exposed,
  credentials,
  maxAgeUs,
}: NonNullable<EntryTask['cors']>): Fields {
  return {
    '@type': `${api}.filters.http.cors.v3.CorsPolicy`,
    allow_origin_string_match: origins.includes('*')
      ? [{ safe_regex: { regex: '.*' } }]
      : origins.map((one) => ({ exact: plainText('cors', one) })),
    allow_methods: plainText('cors', methods.join(', ')),
    allow_headers: plainText('cors', headers.join(', ')),
    expose_headers: plainText('cors', exposed.join(', ')),
    max_age: inSeconds(maxAgeUs),
    allow_credentials: credentials,
  };
}

function addedHeaders(at: string, { replyHeaders }: EntryTask): Data {
  return replyHeaders.map(([key, value]) => ({
    header: {
      key: plainText(at, key),
      // A percent sign begins a variable here.
      value: plainText(`${at}.replyHeaders`, value).replaceAll('%', '%%'),
    },
    append_action: 'OVERWRITE_IF_EXISTS_OR_ADD',
  }));
}

function routesOf(one: RouteTask, bodyMaxBytes: number, shared: readonly LimitTask[]): Fields[] {
  const { id, route, upstream, closed, at } = one;
  const own = one.limits.find(
    ({ limit }) =>
      isExpressed(limit) && limit.by !== 'ip' && !shared.some((other) => other.limit === limit),
  );
  const perRoute: Record<string, Data> = {};
  if (one.bodyMaxBytes !== bodyMaxBytes) {
    perRoute['envoy.filters.http.buffer'] = {
      '@type': `${api}.filters.http.buffer.v3.BufferPerRoute`,
      buffer: { max_request_bytes: one.bodyMaxBytes },
    };
  }
  if (own) perRoute.route_limit = localLimit(own);
  const rest = Object.keys(perRoute).length > 0 ? { typed_per_filter_config: perRoute } : {};
  const made: Fields[] = [];
  if (closed !== undefined) {
    made.push({ name: id, match: matchOf(at, route), direct_response: { status: closed } });
  } else if (route.to.type === 'redirect') {
    made.push({ name: id, match: matchOf(at, route), redirect: redirectOf(at, route) });
  } else if (upstream) {
    const { attempts } = upstream.policy;
    const mayRepeat =
      route.methods.length === 0
        ? repeatable
        : route.methods.filter((method) => repeatable.includes(method));
    const all = { ...matchOf(at, route) };
    if (attempts > 1 && mayRepeat.length > 0) {
      const methods = {
        name: ':method',
        string_match: { safe_regex: { regex: mayRepeat.join('|') } },
      };
      const headers = [...((all.headers as readonly Data[] | undefined) ?? []), methods];
      made.push({
        name: `${id}_repeatable`,
        match: { ...all, headers },
        route: action(
          at,
          route,
          upstream,
          'connect-failure,refused-stream,reset,retriable-status-codes',
        ),
        ...rest,
      });
    }
    made.push({
      name: id,
      match: all,
      route: action(at, route, upstream, 'connect-failure,refused-stream'),
      ...rest,
    });
  }
  if (route.methods.length > 0) {
    made.push({
      name: `${id}_not_allowed`,
      match: matchOf(at, { ...route, methods: [] }),
      direct_response: { status: 405 },
    });
  }
  return made;
}

function matchOf(at: string, route: RouteConfig): Fields {
  const { path, isExact, methods, headers, cookies, query, contentType } = route;
  const isPrefix = !isExact && !hasParameters(path);
  const spelled =
    path === '/' && !isExact
      ? { prefix: '/' }
      : isPrefix
        ? { path_separated_prefix: plainText(at, path) }
        : isExact && !hasParameters(path)
          ? { path: plainText(at, path) }
          : { safe_regex: { regex: plainText(at, pathPattern(route).replace(/\$$/, '')) } };
  const all = methods.includes('GET') ? [...methods, 'HEAD'] : methods;
  const asked: Fields[] = [
    ...(methods.length > 0
      ? [{ name: ':method', string_match: { safe_regex: { regex: all.join('|') } } }]
      : []),
    ...headers.map((one) => ({ name: plainText(at, one.name), ...testOf(at, one) })),
    ...(contentType === null
      ? []
      : [
          {
            name: 'content-type',
            string_match: {
              prefix: plainText(at, contentType.replace(/\*$/, '')),
              ignore_case: true,
            },
          },
        ]),
    ...cookies.map((one) => cookieMatch(at, one)),
  ];
  return {
    ...spelled,
    headers: asked.length > 0 ? asked : undefined,
    query_parameters:
      query.length > 0
        ? query.map((one) => ({ name: plainText(at, one.name), ...queryTest(at, one) }))
        : undefined,
  };
}

function testOf(at: string, { test, value }: Condition): Fields {
  if (test === 'present' || test === 'absent') return { present_match: test === 'present' };
  const text = plainText(at, value);
  return { string_match: test === 'is' ? { exact: text } : { prefix: text } };
}

/** A parameter knows no absence but by being asked for the opposite. */
function queryTest(at: string, condition: Condition): Fields {
  if (condition.test === 'present' || condition.test === 'absent')
    return { present_match: condition.test === 'present' };
  return testOf(at, condition);
}

function cookieMatch(at: string, { name, test, value }: Condition): Fields {
  const quoted = (text: string) => plainText(at, text).replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
  const end =
    test === 'is' ? `${quoted(value)}(;.*)?` : test === 'begins' ? `${quoted(value)}.*` : '.*';
  const found = {
    name: 'cookie',
    string_match: { safe_regex: { regex: `(.*; *)?${quoted(name)}=${end}` } },
  };
  return test === 'absent'
    ? { ...found, invert_match: true, treat_missing_header_as_empty: true }
    : found;
}

function redirectOf(at: string, route: RouteConfig): Fields {
  if (route.to.type !== 'redirect') return {};
  const { to, status } = route.to;
  const [, scheme, host, path = to] = /^(https?):\/\/([^/]+)(\/.*)?$/.exec(to) ?? [];
  const code = {
    301: 'MOVED_PERMANENTLY',
    302: 'FOUND',
    303: 'SEE_OTHER',
    307: 'TEMPORARY_REDIRECT',
    308: 'PERMANENT_REDIRECT',
  }[status];
  const isFilled = pieces(path, route.path, 'group').some((piece) => 'index' in piece);
  const target = isFilled
    ? { regex_rewrite: substitution(at, path, route.path) }
    : { path_redirect: plainText(at, path) };
  return {
    ...(scheme === undefined
      ? {}
      : { scheme_redirect: scheme, host_redirect: plainText(at, host ?? '') }),
    ...target,
    response_code: code,
  };
}

function substitution(at: string, template: string, path: string): Fields {
  const text = pieces(template, path, 'group').map((piece) =>
    'index' in piece ? `\\${piece.index}` : plainText(at, piece.text).replaceAll('\\', '\\\\'),
  );
  return {
    pattern: { regex: plainText(at, `^${captures(path, '[^/]+')}$`) },
    substitution: text.join(''),
  };
}

function action(
  at: string,
  route: RouteConfig,
  { id, pools, policy }: Upstream,
  retryOn: string,
): Fields {
  const { rewrite } = route;
  const isSplit = pools.length > 1;
  const target: Fields = isSplit
    ? {
        weighted_clusters: {
          clusters: pools.map((pool) => ({ name: pool.id, weight: Math.round(pool.share * 100) })),
        },
      }
    : { cluster: pools[0]?.id ?? id };
  const path: Fields =
    rewrite?.path != null
      ? { regex_rewrite: substitution(at, rewrite.path, route.path) }
      : rewrite && rewrite.strip !== ''
        ? {
            regex_rewrite: {
              pattern: {
                regex: plainText(at, `^${rewrite.strip.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')}/*`),
              },
              substitution: '/',
            },
          }
        : {};
  return {
    ...target,
    ...path,
    host_rewrite_literal: rewrite?.host == null ? undefined : plainText(at, rewrite.host),
    hash_policy: hashPolicy(at, policy),
    timeout: seconds(policy.timeoutUs),
    retry_policy:
      policy.attempts > 1
        ? {
            retry_on: retryOn,
            retriable_status_codes: retryOn.includes('status') ? [502, 503, 504] : undefined,
            num_retries: policy.attempts - 1,
            per_try_timeout: seconds(policy.attemptTimeoutUs),
            retry_back_off: {
              base_interval: seconds(Math.max(1_000, policy.backoffUs)),
              max_interval: seconds(Math.max(1_000, policy.backoffUs, policy.backoffMaxUs)),
            },
            retry_host_predicate: [
              {
                name: 'envoy.retry_host_predicates.previous_hosts',
                typed_config: {
                  '@type': `${api}.retry.host.previous_hosts.v3.PreviousHostsPredicate`,
                },
              },
            ],
            host_selection_retry_max_attempts: 3,
          }
        : undefined,
  };
}

function clusters({ at, pools, policy }: Upstream, openMax: number): Fields[] {
  return pools.map(({ id, servers }) => ({
    name: id,
    type: 'STRICT_DNS',
    connect_timeout: seconds(policy.attemptTimeoutUs),
    lb_policy: balancing[policy.balance],
    common_lb_config:
      policy.balance === 'consistent-hash'
        ? {
            consistent_hashing_lb_config: {
              hash_balance_factor: Math.max(
                100,
                Math.round(100 * (1 + (policy.hash?.overload ?? 0.25))),
              ),
            },
          }
        : undefined,
    circuit_breakers: {
      thresholds: [
        {
          max_connections: openMax,
          max_pending_requests: policy.bulkhead?.queueMax ?? openMax,
          max_requests: policy.bulkhead?.slots ?? openMax,
          retry_budget:
            policy.attempts > 1
              ? {
                  budget_percent: { value: Math.min(100, policy.budgetRatio * 100) },
                  min_retry_concurrency: policy.budgetReserve,
                }
              : undefined,
        },
      ],
    },
    outlier_detection: ejection(policy),
    health_checks: checks(at, policy),
    least_request_lb_config: warming(policy, 'LEAST_REQUEST'),
    round_robin_lb_config: warming(policy, 'ROUND_ROBIN'),
    load_assignment: {
      cluster_name: id,
      endpoints: [
        {
          lb_endpoints: servers.map(({ host, port }) => ({
            endpoint: { address: { socket_address: { address: host, port_value: port } } },
          })),
        },
      ],
    },
  }));
}

export const envoyStages = ['health', 'outliers', 'slowStart', 'bulkhead'];

/** Who cannot be reached is passed over for half a second, as here; with `outliers` who fails again and again too. */
function ejection({ outliers }: Upstream['policy']): Fields {
  if (!outliers) {
    return {
      consecutive_local_origin_failure: 1,
      split_external_local_origin_errors: true,
      enforcing_consecutive_5xx: 0,
      enforcing_consecutive_gateway_failure: 0,
      enforcing_success_rate: 0,
      base_ejection_time: '0.5s',
      max_ejection_time: '0.5s',
      max_ejection_percent: 50,
    };
  }
  return {
    consecutive_5xx: outliers.consecutive,
    interval: seconds(outliers.intervalUs),
    base_ejection_time: seconds(outliers.ejectForUs),
    max_ejection_time: seconds(outliers.ejectForMaxUs),
    max_ejection_percent: Math.round(outliers.ejectedMax * 100),
    success_rate_minimum_hosts: outliers.targetsMin,
    success_rate_request_volume: outliers.volumeMin,
    success_rate_stdev_factor: Math.round(outliers.deviations * 1_000),
  };
}

function checks(at: string, { health }: Upstream['policy']): Data | undefined {
  if (!health) return undefined;
  const http = {
    path: plainText(`${at}.health.path`, health.path ?? '*'),
    method: health.path === undefined ? 'OPTIONS' : 'GET',
    expected_statuses: [{ start: 200, end: 500 }],
  };
  return [
    {
      timeout: seconds(health.timeoutUs),
      interval: seconds(health.intervalUs),
      unhealthy_interval: seconds(health.intervalUndecidedUs),
      unhealthy_threshold: health.fall,
      healthy_threshold: health.rise,
      http_health_check: http,
    },
  ];
}

function warming({ slowStart, balance }: Upstream['policy'], policy: string): Fields | undefined {
  if (!slowStart || balancing[balance] !== policy) return undefined;
  const share = { value: Math.round(slowStart.shareMin * 100) };
  return {
    slow_start_config: {
      slow_start_window: seconds(slowStart.warmupUs),
      min_weight_percent: share,
    },
  };
}

const balancing: Readonly<Record<Upstream['policy']['balance'], string>> = {
  'least-requests': 'LEAST_REQUEST',
  'two-choices': 'LEAST_REQUEST',
  'round-robin': 'ROUND_ROBIN',
  random: 'RANDOM',
  latency: 'LEAST_REQUEST',
  'source-hash': 'MAGLEV',
  'consistent-hash': 'RING_HASH',
};

function hashPolicy(at: string, policy: Upstream['policy']): Data | undefined {
  if (policy.balance !== 'source-hash' && policy.balance !== 'consistent-hash') return undefined;
  const { kind, name } = hashKeyOf(policy);
  if (kind === 'ip') return [{ connection_properties: { source_ip: true } }];
  if (kind === 'url') return [{ header: { header_name: ':path' } }];
  if (kind === 'cookie') return [{ cookie: { name: plainText(at, name) } }];
  return [{ header: { header_name: plainText(at, name) } }];
}

const localLimitType = `${api}.filters.http.local_ratelimit.v3.LocalRateLimit`;

function localLimit({ id, limit }: LimitTask): Fields {
  const { rate, burst, cost, algorithm } = limit;
  const isPace =
    algorithm === 'token-bucket' || algorithm === 'gcra' || algorithm === 'leaky-meter';
  const whole = { numerator: 100, denominator: 'HUNDRED' };
  // Envoy fills no more often than every 50 ms.
  const every = isPace
    ? Math.max(50_000, Math.ceil((rate.periodUs / rate.count) * cost))
    : rate.periodUs;
  const fill = Math.max(1, Math.round((rate.count * every) / rate.periodUs / cost));
  return {
    '@type': localLimitType,
    stat_prefix: id,
    token_bucket: {
      max_tokens: Math.max(1, Math.floor((isPace ? burst : rate.count) / cost)),
      tokens_per_fill: fill,
      fill_interval: seconds(every),
    },
    filter_enabled: { default_value: whole },
    filter_enforced: { default_value: whole },
    status: { code: 'TooManyRequests' },
    enable_x_ratelimit_headers: 'DRAFT_VERSION_03',
  };
}

/** What one process can count by itself: everything together, or a route. */
function isExpressed({ by, algorithm, over }: LimitConfig): boolean {
  if (algorithm === 'concurrency' || algorithm === 'leaky-queue' || over === 'delay') return false;
  return by === 'all' || by === 'route';
}

function limitRemarks({ at, limit }: LimitTask, remarks: Remarks): void {
  const { by, algorithm, over, tier, only, except, cost } = limit;
  if (algorithm === 'concurrency') {
    remarks.missing(at, 'nothing', 'Envoy bounds what is open by cluster, not by caller.');
  } else if (algorithm === 'leaky-queue' || over === 'delay') {
    remarks.missing(at, 'nothing', 'Envoy refuses what comes too soon; it does not delay.');
  } else if (!isExpressed(limit)) {
    remarks.missing(
      at,
      'nothing',
      `To count by ${by} Envoy asks a rate limit service, which is yours to run (envoy.filters.http.ratelimit).`,
    );
  } else if (/window|sliding/.test(algorithm)) {
    remarks.approximated(
      `${at}.algorithm`,
      'a token bucket, filled once in a window',
      'Close to fixed-window; a window that slides is not there.',
    );
  } else {
    remarks.approximated(
      `${at}.algorithm`,
      'a token bucket for each worker process, filled in steps',
      'It is the same law in steps of at least 50 ms.',
    );
  }
  if (isExpressed(limit) && cost > 1)
    remarks.approximated(`${at}.cost`, 'the limit divided by it', 'Every request costs 1.');
  if (isExpressed(limit) && (tier !== '' || only.length > 0 || except.length > 0)) {
    remarks.approximated(
      `${at}.only`,
      'it holds for everybody',
      'Envoy counts here without looking at the caller.',
    );
  }
}

function policyRemarks({ at, policy }: Upstream, remarks: Remarks): void {
  if (policy.balance === 'least-requests') {
    remarks.approximated(
      `${at}.balance`,
      'LEAST_REQUEST, the better of two drawn',
      'Envoy does not look at all instances.',
    );
  }
  if (policy.balance === 'latency') {
    remarks.approximated(`${at}.balance`, 'LEAST_REQUEST', 'Envoy does not balance by latency.');
  }
  remarks.approximated(
    `${at}.timeout`,
    'timeout of the route',
    'The service is told in x-envoy-expected-rq-timeout-ms, which is another header than ours.',
  );
  remarks.approximated(
    `${at}.failure`,
    'a service that cannot be reached or broke off is answered with 503',
    'Envoy has one status for both; the gateway says 502 when an answer broke off.',
  );
  if (policy.attempts > 1) {
    remarks.approximated(
      `${at}.retry.budget`,
      'retry_budget, a share of the requests that are open',
      'Envoy bounds retries at one time; the gateway a share of all requests over time.',
    );
  }
}

function seconds(us: number): string {
  return `${Number((us / 1e6).toFixed(6))}s`;
}
