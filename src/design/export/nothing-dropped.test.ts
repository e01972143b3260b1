/** Nothing that a design says is dropped in silence: each option changes the text, or a remark names it. */
import { expect, test } from 'vitest';
import { gatewayBlock } from '../../blocks/edge/gateway/block.ts';
import { limitsKnobs } from '../../blocks/edge/gateway/config.ts';
import { external, gateway, system } from '../../index.ts';
import type { Knob } from '../../kit/config.ts';
import { structureOf } from '../structure.ts';
import { exportFor, products } from './index.ts';

const web = external('web', { url: 'http://127.0.0.1:9' });

function viewOf(options: object) {
  return structureOf(
    system('small', { entry: gateway('edge', { routes: { '/': web }, ...options }) }),
  );
}

/** What a table needs to be allowed at all. */
const needed: Readonly<Record<string, object>> = {
  cors: { origins: ['https://a.example'] },
};

/** Of the tables that a gateway is given whole; a policy is the callers'. */
const tables = [
  'requests',
  'waf',
  'flood',
  'cors',
  'cache',
  'compress',
  'trace',
  'sockets',
  'connections',
];

/** Another value than the one that holds anyway. */
function another(knob: Knob): unknown {
  const { unit, preset, choices } = knob;
  switch (unit) {
    case 'choice':
      return choices!.find((one) => one !== preset);
    case 'flag':
      return preset !== true;
    case 'count':
      return 2 * (preset as number);
    case 'duration':
      return '7s';
    case 'bytes':
      return knob.parse('3kB') === undefined ? '30kB' : '3kB';
    case 'rate':
      return '7/s';
    case 'ratio':
      return 0.3;
    default:
      return 'x-other';
  }
}

interface Change {
  readonly at: string;
  readonly plain: object;
  readonly changed: object;
}

const sweep: readonly Change[] = [
  ...tables.flatMap((table) =>
    Object.entries(gatewayBlock.tables![table]!).map(([option, knob]) => ({
      at: `edge.${table}.${option}`,
      plain: { [table]: { ...needed[table] } },
      changed: { [table]: { ...needed[table], [option]: another(knob) } },
    })),
  ),
  // How many wait counts only where they do.
  ...Object.entries(limitsKnobs)
    .filter(([option]) => option !== 'queueMax' && option !== 'openMax' && option !== 'parts')
    .map(([option, knob]) => ({
      at: `edge.limits.one.${option}`,
      plain: { limits: { one: { rate: '100/s', by: 'header', header: 'x-one' } } },
      changed: {
        limits: { one: { rate: '100/s', by: 'header', header: 'x-one', [option]: another(knob) } },
      },
    })),
];

test.each(products)('%s: every option of the door is in the text or in a remark', (product) => {
  const silent = sweep.filter(({ at, plain, changed }) => {
    const both = [plain, changed].map((options) => exportFor(product, viewOf(options)));
    const names = both.flatMap(({ remarks }) => remarks.map(({ option }) => option));
    const isNamed = names.includes(at) || names.includes(at.slice(0, at.lastIndexOf('.')));
    return !isNamed && both[0]!.text === both[1]!.text;
  });
  expect(silent.map(({ at }) => at)).toEqual([]);
});

test('limits of connections are those of the design, in the words of each', () => {
  const connections = { headersTimeout: '3s', keepAlive: '20s', max: 500, headersMax: 40 } as const;
  const view = viewOf({ connections, sockets: { idleTimeout: '90s' } });
  const [nginx, haproxy, envoy] = products.map((product) => exportFor(product, view));
  expect(nginx!.text).toMatch(/client_header_timeout 3000ms;[\s\S]*keepalive_timeout 20000ms;/);
  expect(haproxy!.text).toMatch(/timeout http-request 3000ms[\s\S]*timeout tunnel 90000ms/);
  expect(haproxy!.text).toMatch(/tune.http.maxhdr 41[\s\S]*frontend edge\n.*\n {2}maxconn 500/);
  expect(envoy!.text).toMatch(/max_headers_count: 40[\s\S]*request_headers_timeout: "3s"/);
});

test('workers on one port are those of the proxy, with one line of connections or a line each', () => {
  const of = (listen: 'shared' | 'sharded') => {
    const view = viewOf({ nodes: 4, listen, backlog: 64 });
    return products.map((product) => exportFor(product, view).text);
  };
  const [nginx, haproxy, envoy] = of('sharded');
  expect(nginx).toMatch(
    /worker_processes 4;[\s\S]*listen 8080 default_server reuseport backlog=64;/,
  );
  expect(haproxy).toMatch(/nbthread 4[\s\S]* shards by-thread\n {2}backlog 64/);
  expect(envoy).toMatch(/enable_reuse_port: true\n +tcp_backlog_size: 64/);
  const [plainNginx, plainHaproxy, plainEnvoy] = of('shared');
  expect(plainNginx).not.toContain('reuseport');
  expect(plainHaproxy).not.toContain('shards');
  expect(plainEnvoy).toContain('enable_reuse_port: false');
  for (const product of products) {
    const options = exportFor(product, viewOf({})).remarks.map(({ option }) => option);
    expect(options).not.toContain('edge.listen');
  }
});

test('what becomes of web sockets is said, whether or not the design speaks of them', () => {
  for (const product of products) {
    const { remarks } = exportFor(product, viewOf({}));
    expect(remarks.some(({ option }) => option.startsWith('edge.sockets'))).toBe(true);
  }
});
