/** The control plane of a mesh dies: what goes on, and what does not. */
import { gateway, mesh, service, simulate, system, users } from 'loadpath';
import { digits, estimate, lab, marks, ms, percent, table } from 'loadpath/lab';

const diesAtS = 10;
const backAtS = 30;
const shiftsAtS = 5;
const again = 20;

/** Instants in milliseconds since the load began. */
interface Seen {
  readonly applied: number[];
  readonly refused: number[];
  /** Answers of either release. */
  readonly one: number[];
  readonly two: number[];
}

/** From 5 s on all go to v2; from 20 s on, while nobody listens, back to v1. */
function design(seen: Seen, dies: boolean) {
  const net = mesh('net', { sync: '500ms', stageFor: '0ms' });
  let begun: number | undefined;
  const sinceMs = () => {
    begun ??= Date.now();
    return Date.now() - begun;
  };
  const m2 = service('m2', {
    mesh: net,
    instances: 4,
    cost: '2ms',
    releases: { v1: { fetch: () => new Response('v1') }, v2: { fetch: () => new Response('v2') } },
    traffic: { v1: 1, v2: 0 },
  });
  const m1 = service('m1', {
    mesh: net,
    instances: 2,
    cost: '2ms',
    env: { m2 },
    async fetch(_request, env) {
      const reply = await env.m2.fetch('/');
      const text = await reply.text();
      (text === 'v2' ? seen.two : seen.one).push(sinceMs());
      return new Response(text, { status: reply.status });
    },
  });
  let isShifted = false;
  let isBack = false;
  const ops = service('ops', {
    instances: 1,
    env: { net },
    async fetch(_request, env) {
      const now = sinceMs();
      const wantsBack = now > again * 1_000;
      if (now < shiftsAtS * 1_000 || (wantsBack ? isBack : isShifted)) return new Response();
      try {
        await env.net.apply({ m2: { traffic: wantsBack ? { v1: 1 } : { v2: 1 } } });
        if (wantsBack) isBack = true;
        else isShifted = true;
        seen.applied.push(sinceMs());
      } catch {
        seen.refused.push(sinceMs());
      }
      return new Response();
    },
  });
  return system('headless', {
    entry: gateway('edge', {
      routes: { '/': m1, '/ops': ops },
      policy: { timeout: '2s', retry: { attempts: 2 } },
    }),
    faults: [
      ...(dies ? [`kill net at ${diesAtS}s, restart after ${backAtS - diesAtS}s`] : []),
      'kill m2/1 at 15s, restart after 3s',
    ],
    workload: users({
      rate: '50/s',
      act: async (user) => void (await user.fetch(user.random.chance(0.1) ? '/ops' : '/')),
    }),
  });
}

const nothing = (): Seen => ({ applied: [], refused: [], one: [], two: [] });

export default lab({
  id: 'lab-mesh-independence',
  claims: ['lab-mesh-independence'],
  title: 'Without its control plane a mesh goes on, and stays as it is',
  claim: 'Proxies work independently of the control plane and of each other.',
  question:
    'Traffic is moved to the second release; then the control plane dies for twenty seconds, an instance with its proxy dies too, and somebody wants the traffic back. What do users see, and when does the order arrive?',
  method:
    'One run with the control plane dead from 10 s to 30 s, one with it up; an instance of the called service dies at 15 s in both. The order to go back is given from 20 s on until it is taken.',
  advice:
    'A control plane may be a single small node: its loss costs changes, not traffic. But then nobody can act either: a bad release that is out when it dies stays out, so keep another way to stop instances.',
  expected: 'true',
  seeds: { full: 4, small: 1 },
  design: design(nothing(), true),
  async measure({ seeds }) {
    const runs = [];
    for (const seed of seeds) {
      const seen = nothing();
      const { failed, generated } = await simulate(design(seen, true), { seed, for: '40s' });
      const calm = await simulate(design(nothing(), false), { seed, for: '40s' });
      const isBetween = (at: number) => at > diesAtS * 1_000 && at < backAtS * 1_000;
      const backMs = seen.applied.at(-1) ?? Number.POSITIVE_INFINITY;
      runs.push({
        seen,
        failed: failed / generated,
        calm: calm.failed / calm.generated,
        v2: seen.two.filter(isBetween).length,
        v1: seen.one.filter(isBetween).length,
        refused: seen.refused.filter(isBetween).length,
        takenMs: backMs - backAtS * 1_000,
        arrivedMs: Math.max(...seen.two) - backMs,
      });
    }
    return {
      seen: runs[0]!.seen,
      failed: estimate(runs.map(({ failed }) => failed)),
      calm: estimate(runs.map(({ calm }) => calm)),
      v2: estimate(runs.map(({ v1, v2 }) => v2 / (v1 + v2))),
      refused: estimate(runs.map(({ refused }) => refused)),
      takenMs: estimate(runs.map(({ takenMs }) => takenMs)),
      arrivedMs: estimate(runs.map(({ arrivedMs }) => arrivedMs)),
    };
  },
  verdict({ failed, calm, v2, refused, takenMs, arrivedMs }) {
    const goesOn = failed.mean <= calm.mean + 0.001 && v2.mean === 1;
    const waits = refused.mean > 0 && takenMs.mean > 0;
    return {
      verdict: goesOn && waits ? 'true' : goesOn || waits ? 'partly' : 'false',
      why: `While the control plane was dead ${percent(v2.mean)} of calls went where it had said last, and ${percent(failed.mean)} of all requests failed, against ${percent(calm.mean)} with it up. An order was refused ${digits(refused.mean)} times, taken ${ms(takenMs.mean)} after the control plane was back, and held everywhere ${ms(arrivedMs.mean)} later.`,
    };
  },
  figures: ({ seen, failed, calm, v2, refused, takenMs, arrivedMs }) => [
    marks({
      title: 'Which release answered, and what became of orders',
      x: { label: 'time', unit: 's' },
      goodName: 'answered, or taken',
      badName: 'refused',
      rows: [
        { name: 'first release', good: thinned(seen.one), bad: [] },
        { name: 'second release', good: thinned(seen.two), bad: [] },
        { name: 'orders', good: inSeconds(seen.applied), bad: thinned(seen.refused) },
      ],
      note: `The control plane is dead from ${diesAtS} s to ${backAtS} s.`,
    }),
    table({
      title: 'In numbers',
      head: ['', 'measured'],
      rows: [
        ['requests that fail, control plane dead for 20 s', percent(failed.mean)],
        ['requests that fail, control plane up', percent(calm.mean)],
        ['calls to where it said last, meanwhile', percent(v2.mean)],
        ['orders refused, meanwhile', digits(refused.mean)],
        ['order taken, after it was back', ms(takenMs.mean)],
        ['order held everywhere, after that', ms(arrivedMs.mean)],
      ],
    }),
  ],
});

function inSeconds(instants: readonly number[]): readonly number[] {
  return instants.map((at) => at / 1_000);
}

/** One a second is enough to see. */
function thinned(instants: readonly number[]): readonly number[] {
  return [...new Set(instants.map((at) => Math.floor(at / 1_000)))];
}
