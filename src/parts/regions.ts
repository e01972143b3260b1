/**
 * Global balancing: which region serves a user. Normally the nearest (or the first by priority); when
 * that one is down or too weak, the next, with as many users as it must take over.
 *
 *   from asia ──▶ asia 30 ms ▓▓▓▓▓▓▓▓ 80 % healthy: takes all (4/5 of its targets still suffice)
 *            ╲──▶ europe 160 ms        asia at 40 %: europe takes what asia cannot
 *             ╲─▶ america 210 ms       asia down: all of it to europe, and back only after `holdDown`
 *
 * ```ts
 * import { configure } from 'loadpath/parts/config';
 * import { RegionChooser, regionKnobs, seeded } from 'loadpath/parts/regions';
 *
 * const { config } = configure('gslb', regionKnobs, {});
 * const regions = ['asia', 'europe'].map((name) => ({ name, priority: 0, healthy: 1 }));
 * const latenciesUs = { asia: 30_000, europe: 160_000 };
 * const chooser = new RegionChooser(config, regions, seeded(1));
 * chooser.choose(0, latenciesUs)!.name; // → 'asia'
 * chooser.report('asia', 0, 1_000_000);
 * chooser.choose(1_000_000, latenciesUs)!.name; // → 'europe'
 * ```
 *
 * The share that overflows follows Envoy's priority levels and their overprovisioning factor. Through DNS a
 * choice lasts as long as resolvers remember it: count that into the time a disaster takes.
 */
import type { Micros } from '../host/host.ts';
import { type ConfigOf, choice, duration, ratio } from '../kit/config.ts';
import type { Random } from '../kit/random.ts';

export { seeded } from '../kit/random.ts';

export const regionKnobs = {
  by: choice(
    ['latency', 'priority'],
    'latency takes the region that is fastest from where the user is; priority the first that is up, as with a backup site.',
  ),
  spare: ratio(1.4, {
    min: 1,
    max: 10,
    doc: 'How many times its usual load what remains of a region bears: at 1.4 it serves all of its users with 71 % of its targets. Envoy’s.',
  }),
  nearBy: duration('5ms', {
    min: '0ms',
    doc: 'Regions that differ by less than this are equally near, and users spread over them.',
  }),
  holdDown: duration('60s', {
    min: '0ms',
    doc: 'How long a region that was down must be well before users return: each return and relapse moves everybody twice.',
  }),
};

export type RegionConfig = ConfigOf<typeof regionKnobs>;

export interface Region {
  readonly name: string;
  /** 0 is the first choice. Equal ones share. */
  readonly priority: number;
  /** Share of its targets that are well, from 0 to 1. */
  healthy: number;
}

interface Known<R extends Region> {
  readonly region: R;
  /** Nobody is sent there before: it was down. */
  backAt: Micros;
}

export class RegionChooser<R extends Region> {
  readonly #config: RegionConfig;
  readonly #random: Random;
  readonly #known: readonly Known<R>[];

  constructor(config: RegionConfig, regions: readonly R[], random: Random) {
    this.#config = config;
    this.#random = random;
    this.#known = regions.map((region) => ({ region, backAt: 0 }));
  }

  /** What share of a region's targets is well from now on; 0: it is down. */
  report(name: string, healthy: number, now: Micros): void {
    const known = this.#known.find(({ region }) => region.name === name);
    if (!known) return;
    const { region } = known;
    if (region.healthy === 0 && healthy > 0) known.backAt = now + this.#config.holdDownUs;
    region.healthy = healthy;
  }

  /**
   * `latenciesUs` are as seen by the user; a region without one is the farthest. `draw`, from 0 to
   * below 1, decides for whom there is no room: the same for the same user keeps users where they
   * are. Undefined when nothing is up anywhere.
   */
  choose(
    now: Micros,
    latenciesUs: Readonly<Record<string, Micros>>,
    draw = this.#random.next(),
  ): R | undefined {
    const rest = this.#known.filter(
      ({ region, backAt }) => region.healthy > 0 && backAt <= now && this.#bears(region) > 0,
    );
    // With everything else gone, one that has just come back is better than nothing.
    if (rest.length === 0) return this.#known.find(({ region }) => region.healthy > 0)?.region;
    rest.sort(
      (a, b) => this.#distance(a.region, latenciesUs) - this.#distance(b.region, latenciesUs),
    );
    let left = draw;
    for (let first = 0; first < rest.length; ) {
      const tied = this.#tied(rest, first, latenciesUs);
      const borne = tied.reduce((sum, region) => sum + this.#bears(region), 0) / tied.length;
      if (left < borne) return tied[Math.floor((left / borne) * tied.length)]!;
      // What is left of the draw, spread again over [0, 1).
      left = borne < 1 ? (left - borne) / (1 - borne) : 0;
      first += tied.length;
    }
    // All together cannot bear it: then each gets as much as it has targets, and shedding does the rest.
    return this.#byHealth(
      rest.map(({ region }) => region),
      draw,
    );
  }

  /** The share of its own users that a region can serve now. */
  #bears(region: Region): number {
    return Math.min(1, region.healthy * this.#config.spare);
  }

  #distance(region: Region, latenciesUs: Readonly<Record<string, Micros>>): number {
    if (this.#config.by === 'priority') return region.priority;
    return latenciesUs[region.name] ?? Number.MAX_SAFE_INTEGER;
  }

  #tied(
    sorted: readonly Known<R>[],
    first: number,
    latenciesUs: Readonly<Record<string, Micros>>,
  ): readonly R[] {
    const within = this.#config.by === 'priority' ? 0 : this.#config.nearByUs;
    const nearest = this.#distance(sorted[first]!.region, latenciesUs);
    const tied: R[] = [];
    for (let i = first; i < sorted.length; i++) {
      const { region } = sorted[i]!;
      if (this.#distance(region, latenciesUs) - nearest > within) break;
      tied.push(region);
    }
    return tied;
  }

  #byHealth(regions: readonly R[], draw: number): R {
    const total = regions.reduce((sum, region) => sum + region.healthy, 0);
    let left = draw * total;
    for (const region of regions) {
      left -= region.healthy;
      if (left < 0) return region;
    }
    return regions[regions.length - 1]!;
  }
}
