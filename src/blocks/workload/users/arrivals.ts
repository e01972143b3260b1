/**
 * When the next user arrives. Pure: the instant and a random stream in, the next instant out.
 *
 * Poisson arrivals of a changing rate are made by thinning (Lewis and Shedler, 1979): draw at the
 * highest rate, keep each with the share that the rate has at that instant.
 */
import type { Random } from '../../../kit/random.ts';
import type { Shape } from './config.ts';

export class Arrivals {
  readonly #shape: Shape;
  readonly #process: 'poisson' | 'even';
  readonly #random: Random;
  /** A surge multiplies the rate. */
  factor = 1;

  constructor(shape: Shape, process: 'poisson' | 'even', random: Random) {
    this.#shape = shape;
    this.#process = process;
    this.#random = random;
  }

  /** The first arrival after `atUs`, as microseconds since the load began; Infinity when none comes. */
  nextAfter(atUs: number): number {
    const peak = peakPerSec(this.#shape) * this.factor;
    if (!(peak > 0)) return Number.POSITIVE_INFINITY;
    const at = this.#process === 'even' ? this.#even(atUs) : this.#thinned(atUs, peak);
    return at < endsAt(this.#shape) ? at : Number.POSITIVE_INFINITY;
  }

  #thinned(atUs: number, peak: number): number {
    const untilUs = endsAt(this.#shape);
    let at = atUs;
    while (at < untilUs) {
      at += (-Math.log(1 - this.#random.next()) * 1e6) / peak;
      const share = (perSecAt(this.#shape, at) * this.factor) / peak;
      if (share >= 1 || this.#random.next() < share) return at;
    }
    return Number.POSITIVE_INFINITY;
  }

  /** One arrival for each unit of area under the rate, in steps short enough to follow its shape. */
  #even(atUs: number): number {
    const stepUs = 10_000;
    const untilUs = endsAt(this.#shape);
    let at = atUs;
    let owed = 1;
    while (at < untilUs) {
      const perUs = (perSecAt(this.#shape, at) * this.factor) / 1e6;
      if (perUs > 0 && owed / perUs <= stepUs) return at + owed / perUs;
      owed -= perUs * stepUs;
      at += stepUs;
    }
    return Number.POSITIVE_INFINITY;
  }
}

/** From here on nobody comes any more; Infinity where somebody always does. */
function endsAt(shape: Shape): number {
  if (shape.kind === 'ramp' && shape.toPerSec === 0) return shape.overUs;
  if (shape.kind === 'spike' && shape.basePerSec === 0) return shape.atUs + shape.forUs;
  return Number.POSITIVE_INFINITY;
}

export function perSecAt(shape: Shape, atUs: number): number {
  switch (shape.kind) {
    case 'steady':
      return shape.perSec;
    case 'ramp': {
      const share = Math.min(1, atUs / shape.overUs);
      return shape.fromPerSec + (shape.toPerSec - shape.fromPerSec) * share;
    }
    case 'spike':
      return atUs >= shape.atUs && atUs < shape.atUs + shape.forUs
        ? shape.peakPerSec
        : shape.basePerSec;
    case 'diurnal':
      return shape.meanPerSec * (1 - shape.swing * Math.cos((2 * Math.PI * atUs) / shape.periodUs));
  }
}

export function peakPerSec(shape: Shape): number {
  switch (shape.kind) {
    case 'steady':
      return shape.perSec;
    case 'ramp':
      return Math.max(shape.fromPerSec, shape.toPerSec);
    case 'spike':
      return Math.max(shape.basePerSec, shape.peakPerSec);
    case 'diurnal':
      return shape.meanPerSec * (1 + shape.swing);
  }
}
