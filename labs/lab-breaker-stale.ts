/** The last good answer in place of an error: how often it is wrong, by what is asked for. */
import { gateway, service, simulate, system, users } from 'loadpath';
import { bars, estimate, lab, lines, percent, table, within } from 'loadpath/lab';

interface Kind {
  readonly name: string;
  /** How often what is asked for changes, by others than who asks. */
  readonly changesEachS: number;
  /** How the request says whose it is. */
  readonly whose: 'nobody’s' | 'in the address' | 'in a header' | 'in a cookie';
}

const kinds: readonly Kind[] = [
  { name: 'article text (never changes)', changesEachS: 1e9, whose: 'nobody’s' },
  { name: 'price (each ten minutes)', changesEachS: 600, whose: 'nobody’s' },
  { name: 'stock (each minute)', changesEachS: 60, whose: 'nobody’s' },
  { name: 'balance (each five seconds)', changesEachS: 5, whose: 'in the address' },
  { name: 'balance, account in a header', changesEachS: 5, whose: 'in a header' },
  { name: 'balance, account in a cookie', changesEachS: 5, whose: 'in a cookie' },
];
const staleMaxima = ['2s', '10s', '60s'] as const;
type StaleMax = (typeof staleMaxima)[number];

const itemCount = 30;
const outFromS = 30;
const outForS = 30;

interface Seen {
  readonly kind: string;
  /** Nothing came, or an error. */
  readonly isError: boolean;
  /** Marked as old. */
  readonly isOld: boolean;
  readonly isOutdated: boolean;
  readonly isOfAnother: boolean;
}

/** What is true of an item at an instant: its version. Both sides know it, and no message says it. */
function versionAt(kind: Kind, item: number, nowMs: number): number {
  const periodMs = kind.changesEachS * 1_000;
  return Math.floor((nowMs + ((item * 0.618 * periodMs) % periodMs)) / periodMs);
}

function request(kind: Kind, index: number, item: number): readonly [string, RequestInit] {
  if (kind.whose === 'in a header') return [`/${index}/mine`, { headers: { 'x-user': `${item}` } }];
  if (kind.whose === 'in a cookie') {
    return [`/${index}/mine`, { headers: { cookie: `user=${item}` } }];
  }
  return [`/${index}/${item}`, {}];
}

function design(staleMax: StaleMax) {
  const seen: Seen[] = [];
  const shop = service('shop', {
    instances: 2,
    cost: { cpu: '1ms' },
    fetch(asked) {
      if (asked.method === 'POST') return new Response('ordered', { status: 201 });
      const [, index, named] = new URL(asked.url).pathname.split('/');
      const own = asked.headers.get('x-user') ?? asked.headers.get('cookie')?.slice(5);
      const item = Number(named === 'mine' ? own : named);
      return Response.json({ item, version: versionAt(kinds[Number(index)]!, item, Date.now()) });
    },
  });
  const policy = {
    timeout: '500ms',
    breaker: { per: 'service', openFor: '2s' },
    fallback: { staleMax },
  } as const;
  const made = system('last-good-answer', {
    entry: gateway('edge', { routes: { '/': shop }, policy }),
    faults: [`fail 100% of calls to shop with 503 at ${outFromS}s for ${outForS}s`],
    workload: users({
      rate: '150/s',
      async act(user) {
        const turn = user.random.below(kinds.length + 1);
        if (turn === kinds.length) {
          const reply = await user.fetch('/orders', { method: 'POST' }).catch(() => undefined);
          seen.push(judged('an order (POST)', reply, false, false));
          return;
        }
        const kind = kinds[turn]!;
        const item = user.random.below(itemCount);
        const reply = await user.fetch(...request(kind, turn, item)).catch(() => undefined);
        if (!reply?.ok) return void seen.push(judged(kind.name, reply, false, false));
        const told = (await reply.json()) as { readonly item: number; readonly version: number };
        const isOutdated = told.item === item && told.version !== versionAt(kind, item, Date.now());
        seen.push(judged(kind.name, reply, isOutdated, told.item !== item));
      },
    }),
  });
  return { design: made, seen };
}

function judged(
  kind: string,
  reply: Response | undefined,
  isOutdated: boolean,
  isOfAnother: boolean,
): Seen {
  const isOld = reply?.headers.get('warning')?.startsWith('110') ?? false;
  return { kind, isError: !reply?.ok, isOld, isOutdated, isOfAnother };
}

/** While the shop was out: of what was asked for of this kind, which share. */
function shares(seen: readonly Seen[], name: string) {
  const own = seen.filter(({ kind, isOld, isError }) => kind === name && (isOld || isError));
  const share = (is: (one: Seen) => boolean) => own.filter(is).length / Math.max(1, own.length);
  return {
    error: share(({ isError }) => isError),
    outdated: share(({ isOutdated }) => isOutdated),
    another: share(({ isOfAnother }) => isOfAnother),
    right: share((one) => !one.isError && !one.isOutdated && !one.isOfAnother),
  };
}

export default lab({
  id: 'lab-breaker-stale',
  claims: ['lab-breaker-stale'],
  title: 'The last good answer may be a lie',
  claim: 'While a breaker is open, the last successful answer is as good as a success.',
  question:
    'A shop is out for half a minute and its callers answer with what it said last. What share of those answers is right, out of date, or somebody else’s, for things that change never, each ten minutes, each minute or each five seconds, and for what belongs to one user?',
  method:
    'Six kinds of GET, 30 items each, and an order by POST, 150 requests a second for 70 s; all calls fail from 30 s to 60 s. What is true of an item is a function of the time, so that each answer can be compared with the truth of the moment in which the user has it. The fallback keeps answers by address, for at most 2 s, 10 s or 60 s, and keeps none to requests with a cookie or credentials.',
  advice:
    'Let the last answer stand in for what may be old, and set `staleMax` to the age that may be shown. For what belongs to a user, an error or a smaller page is the better answer: a balance is wrong within seconds, and where the account is not in the address the answer is somebody else’s. Mark such answers `private` or `no-store`; then nothing is kept. A write is never answered from memory.',
  expected: 'false',
  seeds: { full: 3, small: 1 },
  design: design('60s').design,
  async measure({ seeds, pick }) {
    const names = [...kinds.map(({ name }) => name), 'an order (POST)'];
    const found = [];
    for (const staleMax of pick<readonly StaleMax[]>(staleMaxima, ['60s'])) {
      const runs: Seen[][] = [];
      for (const seed of seeds) {
        const { design: made, seen } = design(staleMax);
        await simulate(made, { seed, for: '70s', rate: pick('150/s', '60/s') });
        runs.push(seen);
      }
      found.push({
        staleMax,
        kinds: names.map((name) => {
          const each = runs.map((seen) => shares(seen, name));
          return {
            name,
            error: estimate(each.map(({ error }) => error)),
            outdated: estimate(each.map(({ outdated }) => outdated)),
            another: estimate(each.map(({ another }) => another)),
            right: estimate(each.map(({ right }) => right)),
          };
        }),
      });
    }
    return found;
  },
  verdict(found) {
    const { kinds: rows } = found.at(-1)!;
    const of = (index: number) => rows[index]!;
    const [text, price, stock, balance, header, cookie, order] = [0, 1, 2, 3, 4, 5, 6].map(of);
    const wrong = rows.map(({ outdated, another }) => outdated.mean + another.mean);
    const isGood = wrong.every((share) => share < 0.001) && order!.error.mean === 0;
    const isNever = wrong.every((share) => share > 0.001);
    return {
      verdict: isGood ? 'true' : wrong[3]! > 0.1 || isNever ? 'false' : 'partly',
      why: `Of the answers given for the shop while it was out, ${within(text!.outdated, percent)} were out of date for what never changes, ${within(price!.outdated, percent)} for prices, ${within(stock!.outdated, percent)} for stock, and ${within(balance!.outdated, percent)} for balances; with the account in a header ${within(header!.another, percent)} were somebody else’s. With a cookie ${percent(cookie!.error.mean)} got an error, as did ${percent(order!.error.mean)} of the orders.`,
    };
  },
  figures: (found) => [
    bars({
      title: 'What users got while the shop was out, answers kept for 60 s',
      x: { label: 'share of requests', unit: '%', max: 100 },
      groups: found.at(-1)!.kinds.map(({ name }) => name),
      series: [
        { name: 'right', values: found.at(-1)!.kinds.map(({ right }) => 100 * right.mean) },
        {
          name: 'out of date',
          values: found.at(-1)!.kinds.map(({ outdated }) => 100 * outdated.mean),
        },
        {
          name: 'somebody else’s',
          values: found.at(-1)!.kinds.map(({ another }) => 100 * another.mean),
        },
        { name: 'an error', values: found.at(-1)!.kinds.map(({ error }) => 100 * error.mean) },
      ],
    }),
    ...(found.length < 2 ? [] : [byAge(found)]),
    table({
      title: 'In numbers',
      head: ['kept for', 'asked for', 'right', 'out of date', 'somebody else’s', 'an error'],
      rows: found.flatMap(({ staleMax, kinds: rows }) =>
        rows.map(({ name, right, outdated, another, error }) => [
          staleMax,
          name,
          percent(right.mean),
          within(outdated, percent),
          within(another, percent),
          percent(error.mean),
        ]),
      ),
    }),
  ],
});

function byAge(
  found: readonly {
    readonly staleMax: StaleMax;
    readonly kinds: readonly {
      readonly name: string;
      readonly outdated: { readonly mean: number };
    }[];
  }[],
) {
  return lines({
    title: 'Answers out of date, by how long they may be kept',
    x: { label: 'kept for at most', unit: 's', scale: 'log' },
    y: { label: 'out of date', unit: '%' },
    series: [1, 2, 3].map((index) => ({
      name: kinds[index]!.name,
      points: found.map(
        ({ staleMax, kinds: rows }) =>
          [Number.parseInt(staleMax, 10), 100 * rows[index]!.outdated.mean] as const,
      ),
    })),
  });
}
