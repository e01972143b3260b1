/** Sticky sessions: how uneven they make the load, and what is lost with the server they stick to. */
import { bars, estimate, lab, percent, table, whole, within } from 'loadpath/lab';
import { missing, ran, type Sight, shop, type Where } from './sessions.ts';

const ways: readonly Where[] = [
  'memory, sticky cookie',
  'memory, sticky by user',
  'memory, hash of the user',
  'shared store',
];
const killedAtS = 10;
const instances = 4;
const options = { instances, exponent: 1, people: 200, perSec: 200 };

/** Users whom a server knew before the kill and did not know at their next visit. */
function lost(seen: readonly Sight[]): number {
  const known = new Set<number>();
  const gone = new Set<number>();
  const startedAt = seen[0]?.atMs ?? 0;
  const old = new Set<number>();
  for (const { user, isKnown, isOld, atMs } of seen) {
    const isAfter = atMs - startedAt > killedAtS * 1_000;
    if (!isAfter) known.add(user);
    else if (known.has(user) && !old.has(user)) {
      old.add(user);
      if (isOld && !isKnown) gone.add(user);
    }
  }
  return gone.size / Math.max(1, old.size);
}

export default lab({
  id: 'lab-sticky-balance',
  claims: ['lab-sticky-balance'],
  title: 'Sticky sessions: uneven, and lost with their server',
  claim: 'Session affinity costs balance and fault tolerance.',
  question:
    'Users of Zipf popularity keep to the server that keeps their session. How much more than its share does the busiest of four servers get, and how many users lose their session when one of them dies, beside servers that take turns and share a store?',
  method:
    'Two hundred users, 200 requests a second, 5 ms of a core each, which is a quarter of what four servers can do. Stickiness is by a cookie that names the server, by a table of users, or by a hash of the user. Load is over 18 s without a fault; sessions lost are users who were known before one server was killed at 10 s and not known at their next visit. A shared store keeps baskets in a cache of two nodes.',
  advice:
    'Affinity is for what is only faster when it is near (a cache in memory), not for what must not be lost. The busiest user alone makes a server uneven, and no balancer can mend that without breaking the affinity. Keep sessions in a shared store, then turns are possible again and a server may die.',
  expected: 'true',
  seeds: { full: 4, small: 1 },
  design: shop('memory, sticky cookie', options).design,
  async measure({ seeds, pick }) {
    const found = [];
    for (const where of ways) {
      const runs = [];
      for (const seed of seeds) {
        const time = { seed, for: pick('18s', '14s') } as const;
        const calm = await ran(where, options, time);
        const dying = await ran(where, options, {
          ...time,
          faults: [`kill api/0 at ${killedAtS}s`],
        });
        runs.push({
          fullest: calm.fullest,
          missing: missing(calm.seen),
          lost: lost(dying.seen),
          failed: dying.report.failed / dying.report.generated,
        });
      }
      found.push({
        where,
        fullest: estimate(runs.map(({ fullest }) => fullest)),
        missing: estimate(runs.map(({ missing }) => missing)),
        lost: estimate(runs.map(({ lost }) => lost)),
        failed: estimate(runs.map(({ failed }) => failed)),
      });
    }
    return found;
  },
  verdict(found) {
    const of = (where: Where) => found.find((one) => one.where === where)!;
    const [cookie, hash, store] = [
      of('memory, sticky cookie'),
      of('memory, hash of the user'),
      of('shared store'),
    ];
    const isUneven = cookie.fullest.mean > store.fullest.mean + 0.05 && hash.fullest.mean > 1.1;
    const isLossy = cookie.lost.mean > 0.1 && store.lost.mean < 0.02;
    return {
      verdict: isUneven && isLossy ? 'true' : isUneven || isLossy ? 'partly' : 'false',
      why: `The busiest of four servers gets ${within(cookie.fullest)} times its share with a sticky cookie, ${within(hash.fullest)} times with a hash of the user, and ${within(store.fullest)} by turn with a shared store. When one of them dies ${within(cookie.lost, percent)}, ${within(hash.lost, percent)} and ${within(store.lost, percent)} of the users lose their session.`,
    };
  },
  figures: (found) => [
    bars({
      title: 'Load of the busiest of four servers, over its share',
      x: { label: 'times the mean' },
      groups: found.map(({ where }) => where),
      series: [
        {
          name: 'busiest',
          values: found.map(({ fullest }) => fullest.mean),
          plusMinus: found.map(({ fullest }) => fullest.plusMinus),
        },
      ],
      level: { at: 1, name: 'even' },
    }),
    bars({
      title: 'Users who lose their session when one of four servers dies',
      x: { label: 'share of users', unit: '%' },
      groups: found.map(({ where }) => where),
      series: [
        {
          name: 'lost',
          values: found.map(({ lost }) => 100 * lost.mean),
          plusMinus: found.map(({ lost }) => 100 * (lost.plusMinus ?? 0)),
        },
      ],
    }),
    table({
      title: 'In numbers',
      head: [
        'session',
        'busiest server',
        'missing without a fault',
        'lost with a server',
        'failed',
      ],
      rows: found.map(({ where, fullest, missing, lost, failed }) => [
        where,
        `${within(fullest)}×`,
        percent(missing.mean),
        `${within(lost, percent)} of ${whole(options.people)}`,
        percent(failed.mean),
      ]),
    }),
  ],
});
