/** The knobs of a workload, and its shapes as data. */

import type { NodeId } from '../../../host/host.ts';
import { choice, count, duration, type Knob, optional, rate } from '../../../kit/config.ts';
import type { Distribution } from '../../../kit/distribution.ts';
import { drawKnob } from '../../../kit/draw.ts';

export const knobs = {
  arrivals: choice(
    ['poisson', 'even'],
    'How arrivals fall: poisson, as independent users do, or evenly spaced, as a benchmark does and reality does not.',
  ),
  population: count(1_000, {
    min: 1,
    doc: 'How many different users there are: each keeps its address and its session.',
  }),
  timeout: duration('10s', {
    min: '1ms',
    doc: 'How long a user waits for one reply before giving up. About what people do.',
  }),
};

/** A shape has no line of its own: it can be replaced by a rate. */
export const rateKnob: Knob<'rate'> = {
  ...rate('100/s', { doc: 'Arrivals, whether or not the system keeps up.' }),
  print: () => undefined,
};

/** Of `closed`, which must say both. */
export const closedKnobs = {
  users: optional(
    count(10, { min: 1, doc: 'How many users there are, each waiting for its reply.' }),
  ),
  think: drawKnob(undefined, 'How long a user thinks between a reply and the next visit.'),
};

/** Arrivals a second over time; times are microseconds since the load began. */
export type Shape =
  | { readonly kind: 'steady'; readonly perSec: number }
  | {
      readonly kind: 'ramp';
      readonly fromPerSec: number;
      readonly toPerSec: number;
      readonly overUs: number;
    }
  | {
      readonly kind: 'spike';
      readonly basePerSec: number;
      readonly peakPerSec: number;
      readonly atUs: number;
      readonly forUs: number;
    }
  /** A sine over `periodUs`, from mean·(1 - swing) to mean·(1 + swing), lowest at the start. */
  | {
      readonly kind: 'diurnal';
      readonly meanPerSec: number;
      readonly swing: number;
      readonly periodUs: number;
    };

export type Load =
  | { readonly kind: 'open'; readonly shape: Shape }
  /** Each user waits for its reply, thinks, and goes on: load falls as the system slows down. */
  | { readonly kind: 'closed'; readonly users: number; readonly think: Distribution }
  | { readonly kind: 'replay'; readonly visits: readonly Visit[] };

/** One line of an access log. */
export type Visit = {
  readonly atUs: number;
  readonly ip: string;
  readonly method: string;
  readonly path: string;
};

export type UsersConfig = {
  readonly arrivals: 'poisson' | 'even';
  readonly population: number;
  readonly timeoutUs: number;
  readonly load: Load;
  /** Shares by zone or region; null: all in the first zone. */
  readonly from: Readonly<Record<string, number>> | null;
  /** The name that users write, where a resolver knows it; null: that of the entry. */
  readonly site: string | null;
};

export type DoorPlan = {
  readonly node: NodeId;
  /** 0 is the nearest; those farther off are gone to when no nearer one answers. */
  readonly tier: number;
};

export type CrowdConfig = UsersConfig & {
  /** Which of the crowds this is, of how many: each has every so-manyth user. */
  readonly crowd: number;
  readonly crowds: number;
  /** Who takes requests. */
  readonly doors: readonly DoorPlan[];
  /** Port of the resolver's half on this node; null: users know the doors by heart. */
  readonly naming: string | null;
  /** Base of the URLs that users write paths for. */
  readonly origin: string;
};
