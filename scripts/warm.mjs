/**
 * Runs what starts of Loadpath run, in one process, and keeps the code that the engine made for it (`linked/start.cjs`).
 *
 * For nodes that is a system of many blocks under a little load, its nodes side by side and spoken to as their supervisor
 * would; for commands the help, a small system served, a design read; for threads a simulation.
 */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isMainThread, Worker, workerData } from 'node:worker_threads';
import { root } from './machine.mjs';

const { entriesOf, keep } = createRequire(import.meta.url)(join(root, 'dist/linked/start.cjs'));
const network = { connectTimeoutUs: 3_000_000 };
const plainKinds = ['gateway', 'kv', 'cache', 'topic'];
const design = join(root, 'examples/shortener');
const loadMs = 300;
const whole = { seed: 1, faults: [], ownFaults: false };

async function warmNodes(data) {
  const nodes = entriesOf('nodes');
  const { bundleDesign } = nodes['run/node/bundle']();
  const { loadBundle } = nodes['run/node/load']();
  const { designOf } = nodes['run/options']();
  const { planOf } = nodes['design/system']();
  const { liveBoot } = nodes['run/node/live-boot']();
  const { Session } = nodes['live/session']();
  const { kinds, blockOfKind } = nodes['blocks/by-kind']();
  for (const kind of kinds) await blockOfKind(kind);
  const bundle = await bundleDesign(design);
  const load = { rate: '200/s' };
  const plan = planOf(designOf(await loadBundle(bundle)), load);

  await Promise.all(plainKinds.map((kind) => warmKind(plan, kind, data)));
  const peers = {};
  const told = new Map();
  const answerOf = (id, type) => new Promise((resolve) => told.set(`${id} ${type}`, resolve));
  const sessions = new Map(
    plan.nodes.map(({ id }) => {
      const hear = (news) => {
        if (news.type === 'crashed') throw new Error(news.stack ?? news.message);
        if (news.type === 'listening') peers[id] = news.peer;
        const type = news.type === 'control' ? news.message.type : news.type;
        told.get(`${id} ${type}`)?.();
      };
      return [id, new Session(liveBoot, hear, () => {})];
    }),
  );
  const all = (type, orderOf) =>
    Promise.all(
      plan.nodes.map((node) => {
        const answered = answerOf(node.id, type);
        sessions.get(node.id).take(orderOf(node));
        return answered;
      }),
    );
  await all('listening', (node) => initOrder(node, { bundle, load, set: null }, data));
  await all('ready', () => startOrder(peers));
  const users = plan.nodes.filter(({ kind }) => kind === 'users');
  const tell = (message) => {
    for (const { id } of users) sessions.get(id).take({ type: 'tell', message, port: 'users' });
  };
  const prepared = Promise.all(users.map(({ id }) => answerOf(id, 'ready')));
  tell({ type: 'prepare' });
  await prepared;
  tell({ type: 'begin', forUs: loadMs * 1_000 });
  await new Promise((resolve) => setTimeout(resolve, loadMs));
  await all('reading', () => ({ type: 'read' }));
  keep('nodes', 'nodes');
}

/** Nodes that run without a design need little else than what they are. */
async function warmKind(plan, kind, data) {
  const node = plan.nodes.find((one) => one.kind === kind);
  const worker = new Worker(new URL(import.meta.url), { workerData: { node, kind, data } });
  const [code] = await once(worker, 'exit');
  if (code !== 0) throw new Error(`the ${kind} was not warmed`);
}

async function bootAlone({ node, kind, data }) {
  const nodes = entriesOf('nodes');
  const { liveBoot } = nodes['run/node/live-boot']();
  const { Session } = nodes['live/session']();
  const kindOf = Object.fromEntries(node.programs.map(({ block }) => [block, 'service']));
  const childData = { kindOf: { ...kindOf, [node.block]: kind } };
  await new Promise((resolve, reject) => {
    const session = new Session(
      liveBoot,
      (news) => {
        if (news.type === 'listening') session.take(startOrder({}));
        if (news.type === 'crashed') reject(new Error(news.stack ?? news.message));
        if (news.type === 'ready') resolve();
      },
      () => {},
    );
    session.take(initOrder(node, childData, join(data, kind)));
  });
  keep('nodes', `nodes-${kind}`);
  process.exit();
}

function initOrder(node, childData, dataDir) {
  const places = { dataDir, historyDir: join(dataDir, 'history') };
  const edgePorts = Object.fromEntries(node.programs.map(({ port }) => [port, 0]));
  const run = { network, secret: 'warm', seed: 1, originUs: 0, judged: undefined };
  const life = { life: 1, durability: 'files', edgePorts, takesPassed: false, childData };
  return { type: 'init', init: { node, ...places, ...run, ...life } };
}

function startOrder(peers) {
  const condition = { slowFactor: 1, wallOffsetUs: 0, driftPpm: 0, disk: 'none' };
  return { type: 'start', peers, rules: { in: {}, out: {} }, condition };
}

async function warmCommands(data) {
  const all = entriesOf('all');
  await helpFrom(all);
  const { runner } = all['run/index']();
  await runner.inspect(design);
  const small = join(root, 'bench/designs/three-services.json');
  const served = { load: false, single: true, fresh: true, forUs: loadMs * 1_000, edgePort: 0 };
  await runner.runLive(small, { ...whole, ...served, dataFolder: join(data, 'small') });
  keep('all', 'all');
  // Starts a thread, and so sets its flags.
  await runner.simulate(design, { ...whole, forUs: 1, check: false });
  await all.index().simulate(design, { for: '2s' });
  keep('all', 'all-thread');
}

/** The command line says its help to nobody, and would end this process. */
async function helpFrom(all) {
  const { argv, exit } = process;
  const { write } = process.stdout;
  process.argv = [argv[0], argv[1], '--help'];
  process.stdout.write = (_text, done) => {
    done?.();
    return true;
  };
  await new Promise((resolve) => {
    process.exit = resolve;
    all['cli/main']();
  });
  Object.assign(process, { argv, exit, exitCode: undefined });
  process.stdout.write = write;
}

async function warmAll() {
  const data = mkdtempSync(join(tmpdir(), 'loadpath-warm-'));
  try {
    await warmNodes(data);
    await warmCommands(data);
  } finally {
    rmSync(data, { recursive: true, force: true });
  }
  process.exit();
}

await (isMainThread ? warmAll() : bootAlone(workerData));
