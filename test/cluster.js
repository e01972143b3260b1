/**
 * Blocks in the simulated world without a whole design: `clients` driver nodes that hold the client
 * half of each declaration, and the world around them. For a block's own tests.
 *
 *   const { handle, world, settle } = cluster([links], { seed: 7 });
 *   const write = handle(links).put('a', 1);          // promises, as user code has them
 *   world.inject({ do: 'kill', … });
 *   expect(await settle(write)).toEqual({ ok: undefined });
 */
import { expand, reachable } from '../src/design/plan.js';
import { spread } from '../src/parts/placement.js';
import { makeBoot } from '../src/run/boot.js';
import { World } from '../src/sim/world.js';

const threeZones = ['a', 'b', 'c'].map((name) => ({ name, region: 'home' }));
export function cluster(declarations, options = {}) {
  const { clients: clientCount = 1, zones = threeZones, groups = [], ...worldOptions } = options;
  const binds = Object.fromEntries(declarations.map((one) => [one.name, one]));
  const driver = {
    name: 'driver',
    block: driverBlock(clientCount, groups),
    config: null,
    problems: [],
    binds,
  };
  const all = reachable([driver]);
  const problems = all.flatMap((one) => one.problems);
  if (problems.length > 0) throw new Error(JSON.stringify(problems));
  const plan = expand('cluster', all, zones);
  const byName = new Map(all.map((one) => [one.name, one]));
  const open = new Map();
  const history = [];
  const events = [];
  const boot = makeBoot({
    declarations: () => byName,
    runUserCode: (_node, _life, _what, start) => {
      void start();
    },
  });
  openOf = open;
  const world = new World({
    seed: 1,
    drain: () => drain(),
    ...worldOptions,
    plan,
    boot: (node, life, hostOf) => {
      openOf = open;
      return boot(node, life, hostOf);
    },
    record: (event) => history.push(event),
    onEvent: (event) => events.push(event),
  });
  world.bootAll();
  const clients = plan.nodes.filter((node) => node.kind === 'driver').map(({ id }) => id);
  const opened = (port, client) => {
    const found = open.get(clients[client])?.get(port);
    if (!found) throw new Error(`driver ${client} has nothing open on ${port}`);
    return found;
  };
  return {
    world,
    history,
    events,
    clients,
    handle(declaration, client = 0, session) {
      const { api } = opened(declaration.name, client);
      const make = declaration.block.handle;
      return make(api, { session }, declaration);
    },
    api: (port, client = 0) => opened(port, client).api,
    async settle(promise, maxUs = 60_000_000) {
      let outcome;
      promise.then(
        (ok) => {
          outcome = { ok };
        },
        (error) => {
          outcome = { error };
        },
      );
      await macrotask(() => world.run(world.now + maxUs, () => outcome !== undefined));
      return outcome ?? { error: new Error('never settled') };
    },
    run: (forUs) => world.run(world.now + forUs),
  };
}
/** Where the driver program that boots next leaves what it opened. */
let openOf = new Map();
function driverBlock(count, groups) {
  return {
    kind: 'driver',
    family: 'test',
    purpose: 'Holds handles for a test.',
    knobs: {},
    view: { shape: 'person', colour: 'grey' },
    expand: (declaration, site) =>
      spread(declaration.name, count, site.zones).map(({ id, zone }) => ({
        id,
        block: declaration.name,
        kind: 'driver',
        role: 'driver',
        zone,
        cores: 1,
        userCode: true,
        programs: [
          ...site.clients(declaration, zone),
          ...groups.map(({ topic, group }) => ({
            port: `${topic.name}.consumer`,
            block: topic.name,
            role: 'consumer',
            config: topic.block.consumerConfig?.(topic, site, group, zone) ?? null,
          })),
          { port: 'driver', block: declaration.name, role: 'driver', config: null },
        ],
      })),
    programs: {
      driver: (host, _config, code) => {
        openOf.set(host.self, code.open);
        return { api: null, message(_from, _message) {} };
      },
    },
    describe: (message) => message.type,
  };
}
/** User code cannot be drained from within a microtask, which is where an `await` goes on. */
export function macrotask(run) {
  return new Promise((resolve, reject) => {
    setImmediate(() => {
      try {
        run();
        resolve();
      } catch (error) {
        reject(error);
      }
    });
  });
}
/** As the simulator drains user code: microtasks and next ticks, until none is left. */
function drain() {
  process._tickCallback();
}
//# sourceMappingURL=cluster.js.map
