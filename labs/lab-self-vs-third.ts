/** Instances that register themselves, and a registrar that does it for them: who is listed, and when. */
import { gateway, registrar, registry, service, simulate, system, users } from 'loadpath';
import { bars, digits, estimate, lab, ms, table, within } from 'loadpath/lab';

type Way = 'self' | 'self, dropped when broken' | 'registrar';
const ways: readonly Way[] = ['self', 'self, dropped when broken', 'registrar'];

const happenings = ['starts', 'dies', 'hangs', 'leaves'] as const;
type Happening = (typeof happenings)[number];

const atS = 10;

interface Look {
  readonly at: number;
  readonly well: readonly string[];
}

/** One thing happens to one instance; somebody looks into the registry twenty times a second. */
function design(way: Way, happening: Happening, looks: Look[]) {
  const names = registry('names', {
    renewEvery: '10s',
    ttl: '30s',
    whenBroken: way === 'self, dropped when broken' ? 'drop' : 'wait',
  });
  const api = service('api', { instances: 3, cost: '2ms', discovery: names });
  let begun: number | undefined;
  const look = service('look', {
    instances: 1,
    env: { names },
    async fetch(_request, env) {
      begun ??= Date.now();
      const entries = await env.names.instances('api');
      const well = entries.filter(({ status }) => status === 'up').map(({ node }) => node);
      looks.push({ at: Date.now() - begun, well });
      return new Response();
    },
  });
  const keeper = registrar('keeper', { registry: names, of: [api] });
  const fault: Readonly<Record<Happening, string>> = {
    starts: `start 1 api at ${atS}s`,
    dies: `kill api/0 at ${atS}s`,
    hangs: `pause api/0 at ${atS}s`,
    leaves: `stop api/0 at ${atS}s`,
  };
  return system('registered', {
    entry: gateway('edge', { routes: { '/': api, '/look': look } }),
    blocks: way === 'registrar' ? [keeper] : [],
    faults: [fault[happening]],
    workload: users({ rate: '20/s', act: async (user) => void (await user.fetch('/look')) }),
  });
}

/** Milliseconds from what happened until the registry says so. */
async function noticed(way: Way, happening: Happening, seed: number): Promise<number> {
  const looks: Look[] = [];
  const length = happening === 'dies' || happening === 'hangs' ? '50s' : '20s';
  await simulate(design(way, happening, looks), { seed, for: length });
  const isTold = ({ well }: Look): boolean =>
    happening === 'starts' ? well.includes('api/3') : !well.includes('api/0');
  const first = looks.find((one) => one.at > atS * 1_000 && isTold(one));
  return first ? first.at - atS * 1_000 : Number.POSITIVE_INFINITY;
}

export default lab({
  id: 'lab-self-vs-third',
  claims: ['lab-self-vs-third'],
  title: 'Who registers an instance decides which news is fast',
  claim: 'Instances register themselves, or a registrar does it for them.',
  question:
    'An instance starts, dies, hangs or leaves. How soon does the registry say so when instances register themselves, and how soon when a registrar looks after them?',
  method:
    'Somebody reads the registry twenty times a second. Instances renew every 10 s for leases of 30 s, with a registry that waits for leases or one that drops whoever’s connection breaks; the registrar asks each every 2 s and marks it as sick after three bad answers.',
  advice:
    'Let instances register themselves where you own their code: starting and leaving is told at once. Add what only an observer sees: a registrar, or probes at callers, for processes that hang. Dropping on a broken connection finds the dead at once, and the merely disconnected too.',
  expected: 'compare',
  seeds: { full: 4, small: 1 },
  design: design('registrar', 'hangs', []),
  async measure({ seeds }) {
    const found = [];
    for (const way of ways) {
      const tookMs = [];
      for (const happening of happenings) {
        const runs = [];
        for (const seed of seeds) runs.push(await noticed(way, happening, seed));
        tookMs.push(estimate(runs));
      }
      found.push({ way, tookMs });
    }
    return found;
  },
  verdict(found) {
    const said = (index: number) =>
      found.map(({ way, tookMs }) => `${ms(tookMs[index]!.mean)} (${way})`).join(', ');
    return {
      verdict: 'compare',
      why: `The registry says that an instance started after ${said(0)}; that it died after ${said(1)}; that it hangs after ${said(2)}; that it leaves after ${said(3)}.`,
    };
  },
  figures: (found) => [
    bars({
      title: 'Until the registry says so',
      x: { label: 'time', unit: 's' },
      groups: happenings.map((happening) => `an instance ${happening}`),
      series: found.map(({ way, tookMs }) => ({
        name: way,
        values: tookMs.map(({ mean }) => mean / 1_000),
      })),
    }),
    table({
      title: 'In numbers, and what else differs',
      head: ['who registers', ...happenings, 'the service must know the registry'],
      rows: found.map(({ way, tookMs }) => [
        way,
        ...tookMs.map((took) => within(took, (value) => ms(value))),
        way === 'registrar' ? 'no; its host must tell the registrar who there is' : 'yes',
      ]),
      note: `${digits(tookSteps)} readings a second: nothing is known more exactly than to 50 ms.`,
    }),
  ],
});

const tookSteps = 20;
