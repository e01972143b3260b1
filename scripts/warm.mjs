/**
 * Runs what starts of Loadpath run, in one process, and keeps the code that the engine made for it (`linked/start.cjs`).
 *
 * For nodes that is a system of many blocks under a little load, its nodes side by side and spoken to as their supervisor
 * would; for commands the help, a small system served, a design read; for threads a simulation.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from './machine.mjs';

const { entriesOf, keep } = createRequire(import.meta.url)(join(root, 'dist/linked/start.cjs'));
const data = mkdtempSync(join(tmpdir(), 'loadpath-warm-'));
const design = join(root, 'examples/shortener');
const loadMs = 300;
const whole = { seed: 1, faults: [], ownFaults: false };

async function warmNodes() {
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

  const peers = {};
  const told = new Map();
  const once = (id, type) => new Promise((resolve) => told.set(`${id} ${type}`, resolve));
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
        const answered = once(node.id, type);
        sessions.get(node.id).take(orderOf(node));
        return answered;
      }),
    );
  await all('listening', (node) => {
    const places = { dataDir: data, historyDir: join(data, 'history') };
    const ports = Object.fromEntries(node.programs.map(({ port }) => [port, 0]));
    const run = { network: plan.network, secret: 'warm', seed: 1, originUs: 0, judged: undefined };
    const childData = { bundle, load, set: null };
    const life = { life: 1, durability: 'files', edgePorts: ports, childData };
    return { type: 'init', init: { node, ...places, ...run, ...life } };
  });
  const rules = { in: {}, out: {} };
  const condition = { slowFactor: 1, wallOffsetUs: 0, driftPpm: 0, disk: 'none' };
  await all('ready', () => ({ type: 'start', peers, rules, condition }));
  const users = plan.nodes.filter(({ kind }) => kind === 'users');
  const tell = (message) => {
    for (const { id } of users) sessions.get(id).take({ type: 'tell', message, port: 'users' });
  };
  const prepared = Promise.all(users.map(({ id }) => once(id, 'ready')));
  tell({ type: 'prepare' });
  await prepared;
  tell({ type: 'begin', forUs: loadMs * 1_000 });
  await new Promise((resolve) => setTimeout(resolve, loadMs));
  await all('reading', () => ({ type: 'read' }));
  keep('nodes');
}

async function warmCommands() {
  const all = entriesOf('all');
  await helpFrom(all);
  const { runner } = all['run/index']();
  await runner.inspect(design);
  const small = join(root, 'bench/designs/three-services.json');
  const served = { load: false, single: true, fresh: true, forUs: loadMs * 1_000, edgePort: 0 };
  await runner.runLive(small, { ...whole, ...served, dataFolder: join(data, 'small') });
  keep('all');
  // Starts a thread, and so sets its flags.
  await runner.simulate(design, { ...whole, forUs: 1, check: false });
  await all.index().simulate(design, { for: '2s' });
  keep('all', true);
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

try {
  await warmNodes();
  await warmCommands();
} finally {
  rmSync(data, { recursive: true, force: true });
}
process.exit();
