/**
 * Designs and frames made up for tests and the bench: a shortener as it is, ten blocks, and three
 * hundred nodes in sixty blocks. Every figure is hashed from its place, so that two calls agree.
 */
import type { BlockView, Frame, FrameLayout, PaletteBlock, StructuralView } from 'loadpath/studio';

type BlockSketch = readonly [name: string, kind: string, nodes: number];
type CallSketch = readonly [from: string, to: string, consumed?: 'consumed'];

const views: Readonly<Record<string, readonly [shape: string, colour: string]>> = {
  users: ['person', 'green'],
  gateway: ['box', 'violet'],
  service: ['box', 'blue'],
  cache: ['store', 'amber'],
  kv: ['store', 'green'],
  ids: ['box', 'violet'],
  topic: ['queue', 'green'],
  external: ['cloud', 'blue'],
};

export const palette: readonly PaletteBlock[] = Object.entries(views).map(
  ([kind, [shape, colour]]) => ({
    kind,
    family: 'made up',
    purpose: `A ${kind}.`,
    shape,
    colour,
    servesWeb: true,
    modelled: kind === 'service' || kind === 'gateway' || kind === 'external',
    knobs: [],
  }),
);

export function shortener(): StructuralView {
  return designOf(
    'shortener',
    [
      ['edge', 'gateway', 1],
      ['api', 'service', 3],
      ['links', 'kv', 3],
      ['hot', 'cache', 2],
      ['codes', 'ids', 1],
      ['clicks', 'topic', 2],
      ['counts', 'kv', 3],
      ['counter', 'service', 2],
      ['users', 'users', 1],
    ],
    [
      ['users', 'edge'],
      ['edge', 'api'],
      ['api', 'links'],
      ['api', 'hot'],
      ['api', 'codes'],
      ['api', 'clicks'],
      ['counter', 'clicks', 'consumed'],
      ['counter', 'counts'],
      ['api', 'counts'],
    ],
  );
}

export function tenBlocks(): StructuralView {
  return designOf(
    'shop',
    [
      ['users', 'users', 1],
      ['edge', 'gateway', 2],
      ['web', 'service', 6],
      ['orders', 'service', 4],
      ['search', 'service', 4],
      ['payments', 'external', 1],
      ['basket', 'cache', 3],
      ['catalogue', 'kv', 5],
      ['ledger', 'kv', 5],
      ['mail', 'topic', 3],
    ],
    [
      ['users', 'edge'],
      ['edge', 'web'],
      ['edge', 'search'],
      ['web', 'orders'],
      ['web', 'basket'],
      ['web', 'catalogue'],
      ['search', 'catalogue'],
      ['orders', 'payments'],
      ['orders', 'ledger'],
      ['orders', 'mail'],
    ],
  );
}

/** Sixty blocks in six tiers, three hundred nodes. */
export function threeHundredNodes(): StructuralView {
  const blocks: BlockSketch[] = [
    ['users', 'users', 1],
    ['edge', 'gateway', 4],
  ];
  const calls: CallSketch[] = [['users', 'edge']];
  const tiers = [8, 12, 14, 12, 12];
  const kinds = ['service', 'service', 'service', 'cache', 'kv'];
  let former = ['edge'];
  for (const [tier, count] of tiers.entries()) {
    const names = Array.from({ length: count }, (_, index) => `${'abcde'[tier]}-${words[index]}`);
    for (const [index, name] of names.entries()) {
      blocks.push([name, index % 7 === 6 ? 'topic' : kinds[tier]!, 5 + ((index + tier) % 2)]);
      calls.push([former[Math.floor((index * former.length) / count)]!, name]);
      if (index % 3 === 0) calls.push([former[(index + 3) % former.length]!, name]);
    }
    former = names;
  }
  const held = blocks.reduce((sum, [, , nodes]) => sum + nodes, 0);
  const [name, kind, nodes] = blocks.at(-1)!;
  blocks[blocks.length - 1] = [name, kind, nodes + 300 - held];
  return designOf('platform', blocks, calls);
}

const words = [
  'cart',
  'price',
  'stock',
  'login',
  'media',
  'queue',
  'rank',
  'offer',
  'route',
  'audit',
  'quota',
  'trace',
  'index',
  'store',
];

function designOf(
  design: string,
  blocks: readonly BlockSketch[],
  calls: readonly CallSketch[],
): StructuralView {
  return {
    design,
    zones: ['a', 'b', 'c'].map((name) => ({ name, region: 'home' })),
    blocks: blocks.map(
      ([name, kind, count]): BlockView => ({
        name,
        kind,
        purpose: `A ${kind}.`,
        config: kind === 'service' ? { instances: count } : {},
        nodes: Array.from({ length: count }, (_, index) => ({
          id: `${name}/${index}`,
          zone: 'abc'[index % 3]!,
        })),
        ...(kind === 'kv' ? { quorum: { copies: 3, read: 2, write: 2 } } : {}),
        outside: kind === 'users' || kind === 'external',
      }),
    ),
    calls: calls.map(([from, to, consumed]) => ({
      from,
      to,
      as: to,
      ...(consumed ? { consumed: true } : {}),
    })),
    ratePerSec: 500,
  };
}

export function layoutOf(design: StructuralView, frameUs = 100_000): FrameLayout {
  return {
    nodes: design.blocks.flatMap(({ name, nodes }) =>
      nodes.map(({ id, zone }) => ({ id, block: name, zone })),
    ),
    blocks: design.blocks.map(({ name }) => name),
    paths: design.calls.flatMap(({ from, to }) =>
      design.blocks.find(({ name }) => name === from)!.nodes.map((node) => ({ from: node.id, to })),
    ),
    frameUs,
    forUs: 60_000_000,
  };
}

/** What is broken in a frame: letters by node, and by path as `api/0->links`. */
export interface Weather {
  readonly nodes?: Readonly<Record<string, string>>;
  readonly paths?: Readonly<Record<string, string>>;
}

export function frameOf(layout: FrameLayout, index: number, weather: Weather = {}): Frame {
  const { nodes, blocks, paths, frameUs } = layout;
  const seconds = frameUs / 1_000_000;
  const states = nodes.map(({ id }) => weather.nodes?.[id] ?? 'u');
  const pathStates = paths.map(({ from, to }) => weather.paths?.[`${from}->${to}`] ?? 'o');
  const works = states.map((state) => state !== 'd' && state !== 'p' && state !== 'n');
  const swell = (salt: number) => 0.5 + hash(salt) * 0.4 + 0.1 * Math.sin(index / 9 + salt);
  const ratePerSec = (salt: number) => 10 ** (1 + hash(salt * 31) * 2.2);
  const requests = nodes.map((_, at) =>
    works[at] ? Math.round(ratePerSec(at) * swell(at) * seconds) : 0,
  );
  const calls = paths.map(({ from }, at) => {
    const caller = nodes.findIndex(({ id }) => id === from);
    return Math.round((requests[caller] ?? 0) * (hash(at + 400) < 0.1 ? 0 : 0.4 + hash(at) * 0.6));
  });
  const failing = paths.map(({ to }) => {
    const members = [...nodes.keys()].filter((at) => nodes[at]!.block === to);
    return members.filter((at) => !works[at]).length / Math.max(1, members.length);
  });
  const p99Us = (salt: number) => Math.round(800 + 9_000 * hash(salt * 7) * swell(salt));
  return {
    index,
    fromUs: index * frameUs,
    toUs: (index + 1) * frameUs,
    users: {
      generated: Math.round(500 * seconds),
      completed: Math.round(490 * seconds),
      failed: Math.round(6 * seconds),
      rejected: 0,
      inFlight: 9,
      latency: { bits: 6, count: 0, sum: 0, min: 0, max: 0, buckets: [] },
      errors: {},
    },
    nodes: {
      state: states.join(''),
      requests,
      errors: nodes.map((_, at) => (states[at] === 's' ? Math.round(requests[at]! * 0.1) : 0)),
      busy: nodes.map((_, at) => (works[at] ? Math.min(1, swell(at) * hash(at * 3) * 1.5) : 0)),
      queue: nodes.map((_, at) => (works[at] ? Math.floor(hash(at * 5) ** 4 * 60 * swell(at)) : 0)),
      p99Us: nodes.map((_, at) => (requests[at]! > 0 ? p99Us(at) : 0)),
    },
    blocks: {
      p50Us: blocks.map((_, at) => p99Us(at) / 5),
      p90Us: blocks.map((_, at) => p99Us(at) / 2),
      p99Us: blocks.map((_, at) => p99Us(at)),
      p999Us: blocks.map((_, at) => p99Us(at) * 2),
      meters: blocks.map(() => ({})),
    },
    paths: {
      state: pathStates.join(''),
      calls,
      errors: calls.map((count, at) =>
        Math.round(
          count * (pathStates[at] === 'c' ? 1 : pathStates[at] === 'l' ? 0.05 : failing[at]!),
        ),
      ),
      p99Us: paths.map((_, at) => (calls[at]! > 0 ? p99Us(at + 90) : 0)),
    },
  };
}

function hash(salt: number): number {
  const mixed = Math.imul((salt + 1) ^ 0x9e37, 0x85eb_ca6b) >>> 0;
  return (Math.imul(mixed ^ (mixed >>> 13), 0xc2b2_ae35) >>> 0) / 4_294_967_296;
}
