/**
 * Blocks in the simulated world without a whole design: `clients` driver nodes that hold the client
 * half of each declaration, and the world around them. For a block's own tests.
 *
 *   const { handle, world, settle } = cluster([links], { seed: 7 });
 *   const write = handle(links).put('a', 1);          // promises, as user code has them
 *   world.inject({ do: 'kill', … });
 *   expect(await settle(write)).toEqual({ ok: undefined });
 */

import { expand, reachable } from '../src/design/plan.ts';
import type { Block, Client, Declaration, ProgramCode } from '../src/host/declaration.ts';
import type { RunEvent } from '../src/host/events.ts';
import type { HistoryEvent } from '../src/host/history.ts';
import type { Address, Host, Message, NodeId } from '../src/host/host.ts';
import type { NodePlan, ZonePlan } from '../src/host/plan.ts';
import { spread } from '../src/parts/placement.ts';
import { makeBoot } from '../src/run/boot.ts';
import { arithmetic } from '../src/sim/node/arithmetic.ts';
import { World, type WorldOptions } from '../src/sim/world.ts';

export interface ClusterOptions
  extends Partial<Omit<WorldOptions, 'plan' | 'boot' | 'record' | 'onEvent'>> {
  readonly clients?: number;
  readonly zones?: readonly ZonePlan[];
  /** Names of consumer groups to start, by topic declaration: each driver node is a member. */
  readonly groups?: readonly { readonly topic: Declaration; readonly group: string }[];
}

export interface Cluster {
  readonly world: World;
  readonly history: HistoryEvent[];
  readonly events: RunEvent[];
  /** Node ids of the drivers. */
  readonly clients: readonly NodeId[];
  /** The handle of a declaration at driver `client` (0 by default), in its present life. */
  handle<H>(declaration: Declaration<H>, client?: number, session?: string): H;
  /** The callback-based api behind it; a consumer's by port `<topic>.consumer`. */
  api(port: string, client?: number): unknown;
  /** Runs the world until the promise settles (or `maxUs` of virtual time passed: rejects). */
  settle<T>(promise: Promise<T>, maxUs?: number): Promise<{ ok: T } | { error: unknown }>;
  /** Runs the world; drives user code only when called from a macrotask (see `macrotask`). */
  run(forUs: number): void;
}

const threeZones: readonly ZonePlan[] = ['a', 'b', 'c'].map((name) => ({ name, region: 'home' }));

export function cluster(
  declarations: readonly Declaration[],
  options: ClusterOptions = {},
): Cluster {
  const { clients: clientCount = 1, zones = threeZones, groups = [], ...worldOptions } = options;
  const binds = Object.fromEntries(declarations.map((one) => [one.name, one]));
  const driver: Declaration = {
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
  const open = new Map<NodeId, ProgramCode['open']>();
  const history: HistoryEvent[] = [];
  const events: RunEvent[] = [];
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
    arithmetic,
    boot: (node, life, hostOf) => {
      openOf = open;
      return boot(node, life, hostOf);
    },
    record: (event) => history.push(event),
    onEvent: (event) => events.push(event),
  });
  world.bootAll();
  const clients = plan.nodes.filter((node) => node.kind === 'driver').map(({ id }) => id);
  const opened = (port: string, client: number) => {
    const found = open.get(clients[client]!)?.get(port);
    if (!found) throw new Error(`driver ${client} has nothing open on ${port}`);
    return found;
  };
  return {
    world,
    history,
    events,
    clients,
    handle<H>(declaration: Declaration<H>, client = 0, session?: string): H {
      const { api } = opened(declaration.name, client);
      const make = declaration.block.handle as (
        api: unknown,
        context: object,
        declaration: Declaration,
      ) => H;
      return make(api, { session }, declaration);
    },
    api: (port, client = 0) => opened(port, client).api,
    async settle<T>(promise: Promise<T>, maxUs = 60_000_000) {
      let outcome: { ok: T } | { error: unknown } | undefined;
      promise.then(
        (ok) => {
          outcome = { ok };
        },
        (error: unknown) => {
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
let openOf = new Map<NodeId, ProgramCode['open']>();

function driverBlock(
  count: number,
  groups: readonly { readonly topic: Declaration; readonly group: string }[],
): Block {
  return {
    kind: 'driver',
    family: 'test',
    purpose: 'Holds handles for a test.',
    knobs: {},
    view: { shape: 'person', colour: 'grey' },
    expand: (declaration, site) =>
      spread(declaration.name, count, site.zones).map(
        ({ id, zone }): NodePlan => ({
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
        }),
      ),
    programs: {
      driver: (host: Host, _config: never, code: ProgramCode): Client => {
        openOf.set(host.self, code.open);
        return { api: null, message(_from: Address, _message: Message) {} };
      },
    },
    describe: (message) => message.type,
  };
}

/** User code cannot be drained from within a microtask, which is where an `await` goes on. */
export function macrotask(run: () => void): Promise<void> {
  return new Promise((resolve, reject) => {
    setImmediate(() => {
      try {
        run();
        resolve();
      } catch (error) {
        reject(error as Error);
      }
    });
  });
}

/** As the simulator drains user code: microtasks and next ticks, until none is left. */
function drain(): void {
  (process as unknown as { _tickCallback(): void })._tickCallback();
}
