/** Where CPU time goes, by part of the tree: a sampling profile of this thread, folded by file. */
import { existsSync, readFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
import { SourceMap } from 'node:module';
import { fileURLToPath } from 'node:url';

const areas = [
  ['(garbage collector)', 'collecting garbage'],
  ['/src/sim/', 'simulated world: queue, network, disks'],
  ['/src/kit/', 'chance, histograms, meters'],
  ['/src/parts/web', 'Request, Response, Headers'],
  ['/src/parts/', 'parts: codec, journal, ring, LRU'],
  ['/src/path/', 'calls and policies'],
  ['/src/blocks/data/kv/', 'kv'],
  ['/src/blocks/data/cache/', 'cache'],
  ['/src/blocks/messaging/', 'topic'],
  ['/src/blocks/coordination/', 'ids'],
  ['/src/blocks/edge/', 'gateway'],
  ['/src/blocks/compute/', 'service'],
  ['/src/blocks/workload/', 'users'],
  ['/src/verify/', 'judging histories'],
  ['/src/run/', 'the run itself'],
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
    const { functionName } = at.callFrame;
    if (functionName === '(idle)') return undefined;
    const source = sourceOf(at.callFrame);
    for (const [part, area] of areas) {
      if (functionName === part || source.includes(part)) return area;
    }
  }
  return 'promises and the rest of the engine';
}

const maps = new Map();
const root = new URL('../', import.meta.url);

/** The file in which somebody wrote it: the build joins many into one. */
function sourceOf({ url, lineNumber, columnNumber }) {
  if (!url.includes('/dist/')) return url;
  if (!maps.has(url)) {
    // Joined scripts bear a name instead of an address (scripts/linked/start.cjs).
    const file = `${fileURLToPath(url.startsWith('loadpath/') ? new URL(url.slice(9), root) : url)}.map`;
    maps.set(url, existsSync(file) && new SourceMap(JSON.parse(readFileSync(file, 'utf8'))));
  }
  return (maps.get(url) || undefined)?.findEntry(lineNumber, columnNumber).originalSource ?? url;
}
