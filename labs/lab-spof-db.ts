/** Each node and each zone of a system is taken away in turn: without which of them does nothing go on? */
import { call, gateway, sequence, service, simulate, system, users } from 'loadpath';
import { bars, estimate, lab, listed, percent, table, within } from 'loadpath/lab';

interface Topology {
  readonly name: string;
  /** How many nodes each block has. */
  readonly counts: Readonly<Record<Block, number>>;
  readonly zones: readonly string[];
}

const blocks = ['edge', 'api', 'auth', 'db'] as const;
type Block = (typeof blocks)[number];

const topologies: readonly Topology[] = [
  {
    name: 'one of each but api',
    counts: { edge: 1, api: 2, auth: 1, db: 1 },
    zones: ['north', 'south'],
  },
  {
    name: 'two of each',
    counts: { edge: 2, api: 2, auth: 2, db: 2 },
    zones: ['north', 'south'],
  },
  { name: 'two of each, one zone', counts: { edge: 2, api: 2, auth: 2, db: 2 }, zones: ['north'] },
];

const goneAtS = 3;

function design({ counts, zones }: Topology, faults: readonly string[]) {
  const policy = { timeout: '500ms', retry: {} } as const;
  const one = (name: Block) =>
    service(name, { instances: counts[name], cost: '2ms', policy, calls: [] });
  const [auth, db] = [one('auth'), one('db')];
  const api = service('api', {
    instances: counts.api,
    cost: '2ms',
    calls: [sequence(call(auth), call(db))],
  });
  return system('what-is-needed', {
    entry: gateway('edge', {
      nodes: counts.edge,
      routes: { '/': api },
      policy: { timeout: '2s', retry: {} },
    }),
    zones: [...zones],
    faults: [...faults],
    workload: users({ rate: '60/s', timeout: '2s' }),
  });
}

/** Node number `index` of a block stands in zone number `index`, round and round. */
function nodesOf({ counts, zones }: Topology) {
  return blocks.flatMap((block) =>
    Array.from({ length: counts[block] }, (_, index) => ({
      block,
      id: `${block}/${index}`,
      zone: zones[index % zones.length]!,
    })),
  );
}

/** By the graph: every block is needed, and has a node that is left. */
function goesOn(topology: Topology, removed: (node: { id: string; zone: string }) => boolean) {
  const left = nodesOf(topology).filter((node) => !removed(node));
  return blocks.every((block) => left.some((node) => node.block === block));
}

const sum = (list: readonly number[]) => list.reduce((total, one) => total + one, 0);

export default lab({
  id: 'lab-spof-db',
  claims: ['lab-spof-db'],
  title: 'What everything depends on',
  claim:
    'A single database, authentication service, balancer or power supply is a single point of failure.',
  question:
    'A gateway, an api, an authentication service and a database serve every request together. Each node is killed in turn, and each zone loses its power. What share of requests is served without it, and does the graph of the system foretell that?',
  method:
    'Three topologies: one node of each block but the api, two of each over two zones, and two of each in one zone. Availability is that from one second after the loss on. By the graph a node or a zone is a single point of failure when some block has no node left without it.',
  advice:
    'Count what each request needs, and double every part of it, down to what parts share: two nodes with one power supply are one. The graph tells all of it without a run (`loadpath lint` reads it); the run tells what the loss of the others costs.',
  expected: 'true',
  seeds: { full: 3, small: 1 },
  design: design(topologies[0]!, []),
  async measure({ seeds }) {
    const found = [];
    for (const topology of topologies) {
      const losses = [
        ...nodesOf(topology).map(({ id }) => ({
          what: id,
          fault: `kill ${id} at ${goneAtS}s`,
          foretold: goesOn(topology, (node) => node.id === id),
        })),
        ...topology.zones.map((zone) => ({
          what: `power of ${zone}`,
          fault: `power off zone ${zone} at ${goneAtS}s`,
          foretold: goesOn(topology, (node) => node.zone === zone),
        })),
      ];
      for (const { what, fault, foretold } of losses) {
        const runs = [];
        for (const seed of seeds) {
          const { series } = await simulate(design(topology, [fault]), { seed, for: '9s' });
          const [good, bad] = [series.throughput, series.errors].map((list) =>
            sum(list.slice(goneAtS + 1)),
          );
          runs.push(good! / Math.max(1, good! + bad!));
        }
        found.push({ name: topology.name, what, foretold, available: estimate(runs) });
      }
    }
    return found;
  },
  verdict(found) {
    const [lone] = topologies;
    const needed = found.filter(
      ({ name, available }) => name === lone!.name && available.max === 0,
    );
    const isAsForetold = found.every(({ foretold, available }) =>
      foretold ? available.min > 0.5 : available.max === 0,
    );
    const named = ['edge/0', 'auth/0', 'db/0'].every((id) =>
      needed.some(({ what }) => what === id),
    );
    const others = found.filter(({ foretold }) => foretold);
    const worst = others.toSorted((a, b) => a.available.mean - b.available.mean)[0]!;
    const doubled = found.filter(
      ({ name, available }) => name === topologies[1]!.name && available.max === 0,
    );
    return {
      verdict: named && isAsForetold ? 'true' : named ? 'partly' : 'false',
      why: `With one of each, nothing is served without ${listed(needed.map(({ what }) => what))}; with two of each over two zones ${doubled.length} losses stop everything, and in one zone its power does. The graph foretold all ${found.length} outcomes${isAsForetold ? '' : ' but some'}; of losses that it calls bearable the worst leaves ${within(worst.available, percent)} (${worst.what}, ${worst.name}).`,
    };
  },
  figures: (found) => [
    ...topologies.map(({ name }) => {
      const own = found.filter((one) => one.name === name);
      return bars({
        title: `Requests served after the loss: ${name}`,
        x: { label: 'share of requests', unit: '%', max: 100 },
        groups: own.map(({ what }) => what),
        series: [
          {
            name: 'served',
            values: own.map(({ available }) => 100 * available.mean),
            plusMinus: own.map(({ available }) => 100 * (available.plusMinus ?? 0)),
          },
        ],
      });
    }),
    table({
      title: 'In numbers',
      head: ['topology', 'without', 'served', 'by the graph'],
      rows: found.map(({ name, what, available, foretold }) => [
        name,
        what,
        within(available, percent),
        foretold ? 'goes on' : 'stops',
      ]),
    }),
  ],
});
