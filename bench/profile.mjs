/** Where CPU time goes, by part of the tree: a sampling profile of this thread, folded by file. */
import { Session } from 'node:inspector/promises';

const areas = [
  ['(garbage collector)', 'collecting garbage'],
  ['/dist/sim/', 'simulated world: queue, network, disks'],
  ['/dist/kit/', 'chance, histograms, meters'],
  ['/dist/parts/web', 'Request, Response, Headers'],
  ['/dist/parts/', 'parts: codec, journal, ring, LRU'],
  ['/dist/path/', 'calls and policies'],
  ['/dist/blocks/data/kv/', 'kv'],
  ['/dist/blocks/data/cache/', 'cache'],
  ['/dist/blocks/messaging/', 'topic'],
  ['/dist/blocks/coordination/', 'ids'],
  ['/dist/blocks/edge/', 'gateway'],
  ['/dist/blocks/compute/', 'service'],
  ['/dist/blocks/workload/', 'users'],
  ['/dist/verify/', 'judging histories'],
  ['/dist/run/', 'the run itself'],
  ['/node_modules/', 'packages of the design (Hono)'],
  ['/examples/', 'the code of the design'],
  ['/bench/', 'the code of the design'],
];

export async function profiled(work) {
  const session = new Session();
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.setSamplingInterval', { interval: 500 });
  await session.post('Profiler.start');
  try {
    await work();
  } finally {
    const { profile } = await session.post('Profiler.stop');
    session.disconnect();
    profiled.shares = sharesOf(profile);
  }
  return profiled.shares;
}

function sharesOf({ nodes, samples, timeDeltas }) {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const parentOf = new Map();
  for (const node of nodes) for (const child of node.children ?? []) parentOf.set(child, node);
  const spent = new Map();
  let total = 0;
  samples.forEach((id, index) => {
    const area = areaOf(byId.get(id), parentOf);
    if (area === undefined) return;
    const us = timeDeltas[index];
    total += us;
    spent.set(area, (spent.get(area) ?? 0) + us);
  });
  return [...spent]
    .sort((a, b) => b[1] - a[1])
    .map(([area, us]) => ({ area, share: Number((us / total).toFixed(3)) }));
}

/** What the engine itself does (promises, strings, maps) counts for whoever made it do so. */
function areaOf(node, parentOf) {
  for (let at = node; at; at = parentOf.get(at.id)) {
    const { functionName, url } = at.callFrame;
    if (functionName === '(idle)') return undefined;
    for (const [part, area] of areas) {
      if (functionName === part || url.includes(part)) return area;
    }
  }
  return 'promises and the rest of the engine';
}
