/** Sessions in the memory of a server, behind a balancer that goes by turn: how often they are missing. */
import { bars, estimate, lab, percent, table, within } from 'loadpath/lab';
import { missing, ran, shop, type Where } from './sessions.ts';

const counts = [2, 4, 8] as const;
const ways: readonly Where[] = ['memory, by turn', 'shared store', 'in a cookie'];

/** So many users that each comes about ten times in the run. */
const options = (instances: number) => ({ instances, exponent: 0, people: 300, perSec: 150 });

export default lab({
  id: 'lab-session-store',
  claims: ['lab-session-store'],
  title: 'A session has to be somewhere',
  claim:
    'HTTP has no state, so that what a server remembers of a user is missing at the next server.',
  question:
    'Users come back to a shop of 2, 4 or 8 servers that take turns. How often does the server that gets a request not know the session that another one began, and what do a shared store or a cookie that carries the session change?',
  method:
    'A user’s basket begins with his first visit to a server. Counted is the second visit of each user, which meets one of the other servers with a chance of (n-1)/n if turns are as good as chance; later visits meet servers that have met him meanwhile, each of which then has a basket of its own.',
  advice:
    'Keep what belongs to a user outside of the servers: in a store they share, or in a cookie that he brings along (signed, and small). Then any server will do, and one may die.',
  expected: 'true',
  seeds: { full: 4, small: 1 },
  design: shop('memory, by turn', options(4)).design,
  async measure({ seeds, pick }) {
    const found = [];
    for (const instances of pick<readonly number[]>(counts, [2, 8])) {
      for (const where of ways) {
        const runs = [];
        for (const seed of seeds) {
          const { seen } = await ran(where, options(instances), { seed, for: pick('16s', '10s') });
          const times = new Map<number, number>();
          const second = seen.filter(({ user, isOld }) => {
            if (isOld) times.set(user, (times.get(user) ?? 0) + 1);
            return isOld && times.get(user) === 1;
          });
          runs.push({ second: missing(second), all: missing(seen) });
        }
        found.push({
          instances,
          where,
          second: estimate(runs.map(({ second }) => second)),
          all: estimate(runs.map(({ all }) => all)),
        });
      }
    }
    return found;
  },
  verdict(found) {
    const inMemory = found.filter(({ where }) => where === 'memory, by turn');
    const others = found.filter(({ where }) => where !== 'memory, by turn');
    const isAsForetold = inMemory.every(
      ({ instances, second }) => Math.abs(second.mean - (instances - 1) / instances) < 0.08,
    );
    const areCured = others.every(({ second }) => second.mean < 0.005);
    const said = inMemory.map(
      ({ instances, second }) =>
        `${within(second, percent)} with ${instances} servers (${percent((instances - 1) / instances)} foretold)`,
    );
    return {
      verdict: isAsForetold && areCured ? 'true' : areCured ? 'partly' : 'false',
      why: `At a user’s second visit the session is missing in ${said.join(', ')}; with a shared store or in a cookie in at most ${percent(Math.max(...others.map(({ second }) => second.mean)))}.`,
    };
  },
  figures: (found) => [
    bars({
      title: 'Second visits at which the server does not know the session',
      x: { label: 'share of second visits', unit: '%', max: 100 },
      groups: [...new Set(found.map(({ instances }) => `${instances} servers`))],
      series: ways.map((where) => {
        const own = found.filter((one) => one.where === where);
        return {
          name: where,
          values: own.map(({ second }) => 100 * second.mean),
          plusMinus: own.map(({ second }) => 100 * (second.plusMinus ?? 0)),
        };
      }),
    }),
    table({
      title: 'In numbers',
      head: ['servers', 'session', 'missing at the second visit', '(n-1)/n', 'missing at any'],
      rows: found.map(({ instances, where, second, all }) => [
        instances,
        where,
        within(second, percent),
        where === 'memory, by turn' ? percent((instances - 1) / instances) : '',
        percent(all.mean),
      ]),
    }),
  ],
});
