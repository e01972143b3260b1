import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { external, gateway, service, system } from '../../index.ts';
import { type StructuralView, structureOf } from '../structure.ts';
import { exportFor, products, remarksPage } from './index.ts';

const web = external('web', { url: 'http://127.0.0.1:9' });
const api = external('api', { url: 'http://127.0.0.1:9' });
const at = (...ports: number[]) => ports.map((port) => ({ host: '127.0.0.1', port }));

function viewOf(options: Partial<Parameters<typeof gateway>[1]> = {}): StructuralView {
  const entry = gateway('edge', { routes: { '/': web, '/api': api }, ...options });
  return structureOf(system('small', { entry }));
}

const limits = { few: { rate: '10/s', burst: 20, by: 'ip' } } as const;
const policy = { timeout: '2s', retry: { attempts: 2 } } as const;

describe.each(products)('%s', (product) => {
  test('the same design gives the same text, with the addresses that were given', () => {
    const options = { targets: { web: at(9_001, 9_002), api: at(9_003) } };
    const { text } = exportFor(product, viewOf(), options);
    expect(exportFor(product, viewOf(), options).text).toBe(text);
    for (const port of ['9001', '9002', '9003']) expect(text).toContain(port);
  });

  test('without an address a service is found by its name', () => {
    const { text } = exportFor(product, viewOf());
    expect(text).toMatch(product === 'envoy' ? /address: "api"\n.*8080/ : /api:8080/);
  });

  test('what is not exported is said, and what guards is closed', () => {
    const view = viewOf({ limits, policy });
    const edge = view.blocks.find(({ name }) => name === 'edge')!;
    const config = edge.config as { routes: readonly object[] };
    const guarded = {
      ...edge,
      config: {
        ...config,
        auth: { schemes: [] },
        novelty: { strength: 3 },
        routes: config.routes.map((route) => ({ ...route, auth: 'required' })),
      },
    };
    const blocks = view.blocks.map((block) => (block === edge ? guarded : block));
    const { text, remarks } = exportFor(product, { ...view, blocks });
    expect(remarks.find(({ option }) => option === 'edge.novelty')?.kind).toBe('missing');
    expect(remarks.filter(({ kind }) => kind === 'closed')).toHaveLength(2);
    expect(text).toContain('401');
    expect(text).not.toContain('8080"');
    expect(text).not.toMatch(/proxy_pass|use_backend|cluster: /);
  });

  test('every remark names an option, what is there instead, and why', () => {
    const { remarks } = exportFor(product, viewOf({ limits, policy }));
    expect(remarks.length).toBeGreaterThan(3);
    for (const { option, instead, why } of remarks) {
      expect(option).toMatch(/^edge\./);
      expect(instead).not.toBe('');
      expect(why).toMatch(/\.$/);
    }
    const page = remarksPage(exportFor(product, viewOf({ limits, policy })));
    for (const { option } of remarks) expect(page).toContain(option);
  });

  test('text of a design cannot become a directive', () => {
    const evil = `/x"; } location /pwned { return 200 $host\\'`;
    const view = viewOf({
      routes: [
        { path: evil, to: web },
        { path: '/y', headers: { 'x-a': `v' -f /etc/passwd "` }, to: api },
        { path: '/z', redirect: `/to"$host%[src]'` },
      ],
    });
    const { text } = exportFor(product, view);
    for (const line of text.split('\n')) {
      if (line.startsWith('#') || !/pwned|passwd|to"|\[src\]'/.test(line)) continue;
      expect(isWhole(line), line).toBe(true);
    }
    if (product === 'nginx') expect(text).toContain(`"/to\\"$` + '{dollar}host');
    if (product === 'haproxy') expect(text).not.toMatch(/[^%]%\[src\]'/);
    const broken = viewOf({ routes: [{ path: '/a\n  pwned', to: web }] });
    expect(() => exportFor(product, broken)).toThrow(/control character/);
  });
});

/** Every quote that opens is closed, by the rules of shells, of nginx and of YAML alike. */
function isWhole(line: string): boolean {
  let inside = '';
  for (let i = 0; i < line.length; i++) {
    const letter = line[i]!;
    if (letter === '\\' && inside !== "'") i++;
    else if (inside === '' && (letter === '"' || letter === "'")) inside = letter;
    else if (letter === inside) inside = '';
  }
  return inside === '';
}

test('a service that no route leads to, and a gateway that is not there, are refused', () => {
  const view = viewOf();
  expect(() => exportFor('nginx', view, { targets: { db: at(1) } })).toThrow(
    /no route leads to db/,
  );
  expect(() => exportFor('nginx', view, { gateway: 'door' })).toThrow(/there are edge/);
  const alone = service('alone', { fetch: () => new Response('x') });
  const without = structureOf(system('bare', { entry: alone }));
  expect(() => exportFor('nginx', without)).toThrow(/bare has no gateway/);
});

test('traffic is split where it is known whose release an address serves', () => {
  const fetch = () => new Response('x');
  const split = service('split', {
    releases: { v1: { fetch }, v2: { fetch } },
    traffic: { v1: 0.9, v2: 0.1 },
  });
  const view = structureOf(system('split', { entry: gateway('edge', { routes: { '/': split } }) }));
  const known = {
    split: [
      { host: 'a', port: 1, release: 'v1' },
      { host: 'b', port: 1, release: 'v2' },
    ],
  };
  const { text, remarks } = exportFor('nginx', view, { targets: known });
  expect(text).toMatch(
    /split_clients \$request_id \$split_split \{\n {4}90% split_v1;\n {4}\* split_v2;/,
  );
  expect(remarks.some(({ option }) => option === 'split.traffic')).toBe(false);
  expect(exportFor('haproxy', view, { targets: known }).text).toContain('rand(10000) lt 9000');
  expect(exportFor('envoy', view, { targets: known }).text).toContain('weight: 90');
  const unknown = exportFor('nginx', view, { targets: { split: at(1, 2) } });
  expect(unknown.remarks.find(({ option }) => option === 'split.traffic')?.kind).toBe('missing');
});

test('health checks, ejection and bulkheads are what each product has of them', () => {
  const stages = {
    health: { path: '/health' },
    outliers: {},
    bulkhead: { slots: 10 },
    pace: { rate: '50/s' as const },
    slowStart: {},
  };
  const view = viewOf({ policy: { ...stages, sticky: { by: 'cookie:seat' }, hedge: {} } });
  const nginx = exportFor('nginx', view);
  expect(nginx.text).toContain('max_fails=5 fail_timeout=30s max_conns=10;');
  const haproxy = exportFor('haproxy', view);
  expect(haproxy.text).toMatch(
    /check inter 2000ms .* observe layer7 error-limit 5 .* slowstart 30000ms maxconn 10 /,
  );
  expect(haproxy.text).toContain("http-check send meth GET uri '/health'");
  expect(haproxy.text).toMatch(/return status 429 .* if \{ srv_sess_rate\((\w+)\/\1_0\) ge 50 \}/);
  const envoy = exportFor('envoy', view);
  expect(envoy.text).toMatch(/health_checks:[\s\S]*path: "\/health"/);
  const missing = ({ remarks }: typeof envoy) =>
    remarks.filter(({ kind }) => kind === 'missing').map(({ option }) => option.split('.').at(-1));
  expect(missing(nginx)).toEqual(
    expect.arrayContaining(['health', 'hedge', 'pace', 'slowStart', 'sticky']),
  );
  expect(missing(haproxy)).toContain('hedge');
  expect(missing(haproxy)).not.toContain('health');
});

test('the door is exported: reply headers, CORS, compression, hosts, numbers of requests', () => {
  const view = viewOf({
    replyHeaders: { 'x-frame-options': "DENY; 100% o'clock" },
    cors: { origins: ['https://a.example'], credentials: true },
    compress: { min: '2kB' },
    requests: { hosts: ['shop.example.com'] },
    trace: {},
  });
  const nginx = exportFor('nginx', view).text;
  expect(nginx).toContain(`add_header x-frame-options "DENY; 100% o'clock" always;`);
  expect(nginx).toContain('"~^https://a\\\\.example$" $http_origin;');
  expect(nginx).toMatch(
    /gzip_min_length 2000;[\s\S]*return 421;[\s\S]*server_name shop.example.com;/,
  );
  const haproxy = exportFor('haproxy', view).text;
  expect(haproxy).toContain(`set-header x-frame-options 'DENY; 100%% o'\\''clock'`);
  expect(haproxy).toContain(
    `status 421 if !{ req.hdr(host),host_only,lower -m str -- 'shop.example.com' }`,
  );
  const envoy = exportFor('envoy', view).text;
  expect(envoy).toContain('- "shop.example.com"');
  for (const text of [nginx, haproxy, envoy]) expect(text).toContain('https://a');
});

test('a host with routes of its own is served once, and a host that is not served not at all', () => {
  const view = viewOf({
    requests: { hosts: ['a.example', 'b.example'] },
    routes: [
      { path: '/', to: web },
      { host: 'a.example', path: '/', to: api },
      { host: 'c.example', path: '/', to: api },
    ],
  });
  const names = exportFor('nginx', view).text.match(/server_name .*/g);
  expect(names).toEqual(['server_name a.example;', 'server_name b.example;']);
});

describe('Envoy', () => {
  interface Route {
    readonly name: string;
    readonly match: object;
    readonly route?: {
      readonly timeout: string;
      readonly retry_policy?: { readonly retry_on: string };
    };
  }
  interface Config {
    readonly static_resources: {
      readonly listeners: readonly {
        readonly filter_chains: readonly {
          readonly filters: readonly {
            readonly typed_config: {
              readonly route_config: {
                readonly virtual_hosts: readonly {
                  readonly domains: readonly string[];
                  readonly routes: readonly Route[];
                }[];
              };
              readonly http_filters: readonly { readonly name: string }[];
            };
          }[];
        }[];
      }[];
      readonly clusters: readonly {
        readonly name: string;
        readonly circuit_breakers: {
          readonly thresholds: readonly {
            readonly retry_budget?: { readonly budget_percent: { readonly value: number } };
          }[];
        };
      }[];
    };
  }
  const readEnvoy = (view: StructuralView) => parse(exportFor('envoy', view).text) as Config;

  test('its YAML reads as listener, routes in their order, clusters, with the router last', () => {
    const { listeners, clusters } = readEnvoy(viewOf({ policy })).static_resources;
    const manager = listeners[0]!.filter_chains[0]!.filters[0]!.typed_config;
    expect(manager.route_config.virtual_hosts.map(({ domains }) => domains)).toEqual([['*']]);
    expect(
      manager.route_config.virtual_hosts[0]!.routes.map(({ match }) => Object.values(match)[0]),
    ).toEqual(['/api', '/api', '/', '/']);
    expect(manager.http_filters.at(-1)?.name).toBe('envoy.filters.http.router');
    expect(clusters.map(({ name }) => name)).toEqual(['api', 'web']);
    expect(clusters[0]!.circuit_breakers.thresholds[0]!.retry_budget?.budget_percent.value).toBe(
      20,
    );
  });

  test('a POST that may have arrived is not repeated: its route retries connecting only', () => {
    const { listeners } = readEnvoy(viewOf({ policy })).static_resources;
    const { routes } =
      listeners[0]!.filter_chains[0]!.filters[0]!.typed_config.route_config.virtual_hosts[0]!;
    const retries = routes.map(({ name, route }) => [
      name.endsWith('repeatable'),
      route!.retry_policy!.retry_on.includes('reset'),
    ]);
    expect(retries).toEqual([
      [true, true],
      [false, false],
      [true, true],
      [false, false],
    ]);
    expect(routes.every(({ route }) => route!.timeout === '2s')).toBe(true);
  });

  test('a name that looks like something else stays a text', () => {
    const view = viewOf({
      routes: [
        { path: '/&yes [no], x', to: web },
        { path: '/', headers: { on: 'null' }, to: api },
      ],
    });
    expect(JSON.stringify(readEnvoy(view))).toContain('/&yes [no], x');
    expect(JSON.stringify(readEnvoy(view))).toContain('{"exact":"null"}');
  });
});
