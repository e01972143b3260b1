/**
 * The parts of which policies are made, in nanoseconds a call, beside a peer where one is alive, and
 * what a key costs in memory.
 *
 *   node bench/policies.mjs [--quick]        (built first: npm run build)
 *
 * Ours are synchronous and are handed the time. The peers (`rate-limiter-flexible` in memory, `cockatiel`)
 * are asynchronous and look at the clock themselves: their rows hold one `await` of about 30 ns, which
 * callers of theirs pay too. All run in turn in one process, in CPU time; figures are medians of the
 * rounds.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import * as cockatiel from 'cockatiel';
import { RateLimiterMemory } from 'rate-limiter-flexible';
import { AdaptiveLimit, adaptiveLimitKnobs } from '../dist/parts/adaptive-limit.js';
import { BoundedHash, SourceHash } from '../dist/parts/balance/hashed.js';
import { Latency, LeastLatency } from '../dist/parts/balance/latency.js';
import { SmoothRoundRobin, WeightedLeastRequests } from '../dist/parts/balance/weighted.js';
import { ZoneAware } from '../dist/parts/balance/zones.js';
import { Balancer, seeded } from '../dist/parts/balance.js';
import { Breaker, breakerKnobs } from '../dist/parts/breaker.js';
import { Bulkhead } from '../dist/parts/bulkhead.js';
import { configure } from '../dist/parts/config.js';
import { Hedge, hedgeKnobs } from '../dist/parts/hedge.js';
import { ConcurrencyLimiter, KeyedLimiter, LeakyQueue, limiterOf } from '../dist/parts/limit.js';
import { Outliers, outlierKnobs } from '../dist/parts/outliers.js';
import { PhiDetector, phiKnobs } from '../dist/parts/phi.js';
import { Shedder, shedderKnobs } from '../dist/parts/shedder.js';
import { TrafficSplit } from '../dist/parts/traffic-split.js';
import { Bench, cpuSeconds, isQuick, median } from './kit.mjs';

const rounds = isQuick ? 3 : 9;
const calls = isQuick ? 100_000 : 500_000;
const keys = Array.from({ length: 1_000 }, (_, i) => `user-${i}`);
const aMillion = { count: 1_000_000, periodUs: 1_000_000 };
const algorithms = ['gcra', 'fixed-window', 'sliding-window', 'sliding-buckets', 'sliding-log'];

/** Kept, so that nothing measured is thrown away by the compiler. */
let sink = 0;
const configOf = (knobs, given = {}) => configure('bench', knobs, given).config;

/** A row is made anew for each round; `call` gets the number of the call, and a clock of a call a microsecond. */
const rows = [];
const row = (what, make, peer) => rows.push({ what, make, peer });

function keyed(algorithm, rate) {
  const law = limiterOf({ algorithm, rate, burst: rate.count, parts: 10 });
  return new KeyedLimiter(law, { keysMax: 10_000 });
}

const roomy = () => new RateLimiterMemory({ points: 1e9, duration: 60 });
for (const algorithm of algorithms) {
  row(
    `limiter, ${algorithm}, 1,000 keys`,
    () => {
      const limiter = keyed(algorithm, { count: 1_000, periodUs: 1_000_000 });
      return (i) => limiter.take(keys[i % 1_000], i);
    },
    algorithm === 'fixed-window' && {
      peer: 'rate-limiter-flexible',
      make: () => {
        const limiter = roomy();
        return async (i) => (await limiter.consume(keys[i % 1_000])).remainingPoints;
      },
    },
  );
}
row(
  'limiter, fixed-window, 1 key',
  () => {
    const limiter = keyed('fixed-window', aMillion);
    return (i) => limiter.take('alice', i);
  },
  {
    peer: 'rate-limiter-flexible',
    make: () => {
      const limiter = roomy();
      return async () => (await limiter.consume('alice')).remainingPoints;
    },
  },
);
row(
  'limiter, fixed-window, refused',
  () => {
    const limiter = keyed('fixed-window', { count: 1, periodUs: 3_600_000_000 });
    return () => limiter.take('alice', 5);
  },
  {
    peer: 'rate-limiter-flexible',
    make: () => {
      const limiter = new RateLimiterMemory({ points: 1, duration: 3_600 });
      return async () => {
        try {
          return (await limiter.consume('alice')).remainingPoints;
        } catch (refusal) {
          return refusal.remainingPoints;
        }
      };
    },
  },
);
row('leaky queue, a request', () => {
  const queue = new LeakyQueue({ rate: aMillion, queueMax: 100, burst: 1 });
  return (i) => queue.enter(i);
});
row('concurrency limiter, in and out, 1,000 keys', () => {
  const limiter = new ConcurrencyLimiter({ openMax: 10, openPerKeyMax: 5, keysMax: 10_000 });
  return (i) => {
    const key = keys[i % 1_000];
    const entered = limiter.enter(key);
    limiter.leave(key);
    return entered ? 1 : 0;
  };
});

const answer = async () => 1;
row(
  'breaker, closed, a call that succeeds',
  () => {
    const breaker = new Breaker(configOf(breakerKnobs, { slowCall: '1s' }));
    return (i) => {
      const permit = breaker.enter(i);
      breaker.succeeded(permit, i + 1, 500);
      return permit;
    };
  },
  {
    peer: 'cockatiel',
    make: () => {
      const policy = cockatiel.circuitBreaker(cockatiel.handleAll, {
        halfOpenAfter: 5_000,
        breaker: new cockatiel.SamplingBreaker({ threshold: 0.5, duration: 10_000 }),
      });
      return () => policy.execute(answer);
    },
  },
);
row(
  'breaker, open, a call that is refused',
  () => {
    const breaker = new Breaker(configOf(breakerKnobs));
    breaker.force('open', 0);
    return (i) => breaker.enter(i);
  },
  {
    peer: 'cockatiel',
    make: () => {
      const policy = cockatiel.circuitBreaker(cockatiel.handleAll, {
        halfOpenAfter: 5_000,
        breaker: new cockatiel.ConsecutiveBreaker(1),
      });
      policy.isolate();
      return async () => {
        try {
          return await policy.execute(answer);
        } catch {
          return 1;
        }
      };
    },
  },
);
row('outlier ejection, a success and a look', () => {
  const outliers = new Outliers(configOf(outlierKnobs));
  const slots = Array.from({ length: 10 }, () => outliers.add());
  return (i) => {
    const slot = slots[i % 10];
    outliers.succeeded(slot, i);
    return outliers.isEjected(slot, i) ? 1 : 0;
  };
});
row(
  'bulkhead, in and out',
  () => {
    const bulkhead = new Bulkhead({ slots: 10, queueMax: 10 });
    return () => {
      bulkhead.enter(1);
      bulkhead.leave();
      return bulkhead.entered;
    };
  },
  {
    peer: 'cockatiel',
    make: () => {
      const policy = cockatiel.bulkhead(10, 10);
      return () => policy.execute(answer);
    },
  },
);
row('adaptive limit (gradient), in and out', () => {
  const limit = new AdaptiveLimit(configOf(adaptiveLimitKnobs), seeded(1));
  return (i) => {
    const entered = limit.enter();
    limit.leave(i, 1_000 + (i % 100), 'ok');
    return entered ? 1 : 0;
  };
});
row('shedder, admit and start', () => {
  const shedder = new Shedder(configOf(shedderKnobs));
  return (i) => {
    const admitted = shedder.admit(i, i % 4, (i % 128) / 128);
    shedder.started(i, 100);
    return admitted ? 1 : 0;
  };
});
row('hedge, an answer and its delay', () => {
  const hedge = new Hedge(configOf(hedgeKnobs));
  return (i) => {
    hedge.answered(i, 1_000 + (i % 1_000));
    return hedge.delayUs(i) > 0 ? 1 : 0;
  };
});
row('phi, at one look', () => {
  const detector = new PhiDetector(configOf(phiKnobs));
  for (let at = 0; at < 100; at++) detector.heard(at * 1_000_000);
  return (i) => (detector.phi(99_000_000 + i) > 8 ? 1 : 0);
});
row('traffic split, 2 releases by key', () => {
  const split = new TrafficSplit({ stable: 95, canary: 5 }, seeded(1));
  return (i) => split.choose(keys[i % 1_000]).length;
});

const targets = Array.from({ length: 10 }, (_, i) => ({
  id: `api/${i}`,
  zone: 'abc'[i % 3],
  open: 0,
  avoidUntil: 0,
  weight: 1 + (i % 3),
  credit: 0,
  latency: new Latency({ by: 'peak', decayUs: 10_000_000 }),
}));
const picker = (what, make) =>
  row(`balance, ${what}, 10 targets`, () => {
    const balancer = make();
    for (const [i, target] of targets.entries()) {
      target.open = i % 3;
      target.credit = 0;
      target.latency.observe(0, 1_000 + 100 * i);
    }
    return (i) => balancer.pick(targets, i, undefined, keys[i % 1_000]).weight;
  });
for (const by of ['round-robin', 'least-requests', 'two-choices']) {
  picker(by, () => new Balancer(by, seeded(1)));
}
picker('smooth weighted', () => new SmoothRoundRobin(seeded(1)));
picker('weighted least requests', () => new WeightedLeastRequests(seeded(1)));
picker('peak latency', () => new LeastLatency(seeded(1)));
picker('source hash', () => new SourceHash(seeded(1)));
picker('bounded hash', () => new BoundedHash({ overload: 0.25, tokens: 128 }, seeded(1)));
picker('zone aware', () => {
  const options = { zone: 'a', callers: { a: 3, b: 1, c: 1 }, targetsMin: 6 };
  return new ZoneAware(options, new Balancer('round-robin', seeded(1)), seeded(2));
});

async function nanoseconds(make) {
  const call = make();
  const isAsync = call(0) instanceof Promise;
  const before = cpuSeconds();
  if (isAsync) for (let i = 1; i <= calls; i++) sink += await call(i);
  else for (let i = 1; i <= calls; i++) sink += call(i);
  return ((cpuSeconds() - before) * 1e9) / calls;
}

const bench = new Bench('policies', 'The parts of policies, a call');
const samples = rows.map(() => ({ own: [], peer: [] }));
for (let round = 0; round < rounds; round++) {
  for (const [i, { make, peer }] of rows.entries()) {
    samples[i].own.push(await nanoseconds(make));
    if (peer) samples[i].peer.push(await nanoseconds(peer.make));
  }
}
const atLeast = { limiter: 60, breaker: 90 };
rows.forEach(({ what, peer }, i) => {
  const floor = atLeast[what.split(',')[0]];
  bench.figure({
    id: `policies-${what.replaceAll(/[^a-z0-9]+/gi, '-')}`,
    what,
    unit: 'ns',
    better: 'less',
    value: median(samples[i].own),
    ...(floor ? { atLeast: floor } : {}),
    ...(peer ? { peer: peer.peer, peerValue: median(samples[i].peer) } : {}),
  });
});

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc');
const keyCount = isQuick ? 100_000 : 1_000_000;
const manyKeys = Array.from({ length: keyCount }, (_, i) => `user-${i}`);
const memory = () => {
  collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
};

/** Beside the keys themselves, each of which has spent ten units of a hundred. */
async function bytesPerKey(make) {
  const before = memory();
  const take = make();
  for (let i = 0; i < keyCount; i++) await take(manyKeys[i], i);
  const bytes = (memory() - before) / keyCount;
  sink += (await take(manyKeys[0], keyCount)) ? 1 : 0;
  return bytes;
}

for (const algorithm of algorithms) {
  const value = await bytesPerKey(() => {
    const rate = { count: 100, periodUs: 60_000_000 };
    const law = limiterOf({ algorithm, rate, burst: 100, parts: 10 });
    const limiter = new KeyedLimiter(law, { keysMax: keyCount });
    return (key, now) => limiter.take(key, now, 10) + 1;
  });
  const isPeered = algorithm === 'fixed-window';
  const peerValue =
    isPeered &&
    (await bytesPerKey(() => {
      const limiter = new RateLimiterMemory({ points: 100, duration: 0 });
      return (key) => limiter.consume(key, 10);
    }));
  bench.figure({
    id: `policies-bytes-${algorithm}`,
    what: `limiter, ${algorithm}, ${keyCount.toLocaleString('en-US')} keys: a key`,
    unit: 'B',
    better: 'less',
    value,
    ...(isPeered ? { peer: 'rate-limiter-flexible', peerValue } : {}),
  });
}
if (sink === 0) throw new Error('nothing ran');
bench.end();
