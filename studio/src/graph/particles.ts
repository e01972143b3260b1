/**
 * Traffic along the paths. Particles of all paths stand in a few typed arrays made once: nothing is
 * allocated while they move. Speed is the same everywhere; how many there are tells the rate, on a
 * logarithmic scale (ten times the rate is a few more a second, or a busy path would be a wall).
 * Who is an error and who comes early is hashed from a counter: the same frames, the same picture.
 */
import type { PathFigures } from './scene.ts';

/** More than the eye can tell apart; what would be more is left out evenly. */
const capacity = 2_400;
const perPathMax = 40;

export const speedPxPerSec = 84;

export interface Flow {
  readonly lengthPx: number;
  figures: PathFigures | undefined;
}

export class Particles {
  /** Along the curve of its path, pixels. */
  readonly distancePx = new Float32Array(capacity);
  readonly path = new Uint16Array(capacity);
  /** 1: this one fails. */
  readonly fails = new Uint8Array(capacity);
  count = 0;
  #due = new Float64Array(0);
  #sent = new Uint32Array(0);
  #alive = new Uint16Array(0);

  /** The paths are others now; what moved is gone. */
  reset(pathCount: number): void {
    this.count = 0;
    this.#due = new Float64Array(pathCount);
    this.#sent = new Uint32Array(pathCount);
    this.#alive = new Uint16Array(pathCount);
  }

  /**
   * @param share of the particles to show, from 0 to 1: less when zoomed out.
   * @param haste times the usual speed: on the plane faster when zoomed out, on the screen the same.
   */
  step(seconds: number, flows: readonly Flow[], share: number, haste = 1): void {
    this.#move(seconds * speedPxPerSec * haste, flows);
    for (let path = 0; path < flows.length; path++) {
      const { figures } = flows[path]!;
      if (!figures || !flowing(figures)) continue;
      this.#due[path]! += seconds * particlesPerSec(figures.ratePerSec) * share;
      while (this.#due[path]! >= 1) {
        this.#due[path]! -= 1;
        this.#send(path, figures);
      }
    }
  }

  #move(advancePx: number, flows: readonly Flow[]): void {
    let kept = 0;
    for (let index = 0; index < this.count; index++) {
      const path = this.path[index]!;
      const flow = flows[path]!;
      const distance = this.distancePx[index]! + advancePx;
      if (distance > endOf(flow, this.fails[index]!)) {
        this.#alive[path]!--;
        continue;
      }
      this.distancePx[kept] = distance;
      this.path[kept] = path;
      this.fails[kept] = this.fails[index]!;
      kept++;
    }
    this.count = kept;
  }

  #send(path: number, figures: PathFigures): void {
    const serial = this.#sent[path]!++;
    if (this.count >= capacity || this.#alive[path]! >= perPathMax) return;
    const index = this.count++;
    this.#alive[path]!++;
    this.path[index] = path;
    // Up to half a gap early, so that traffic does not march.
    this.distancePx[index] =
      chance(serial, path) * Math.min(14, 30 / (1 + particlesPerSec(figures.ratePerSec)));
    this.fails[index] = chance(serial, path + 7_919) < failRatio(figures) ? 1 : 0;
  }
}

/** 1/s: 1, 10/s: 3, 100/s: 6, 1000/s: 9, 10 000/s: 12. */
export function particlesPerSec(ratePerSec: number): number {
  if (ratePerSec <= 0) return 0;
  return Math.min(
    14,
    Math.max(0.4, ratePerSec < 1 ? ratePerSec : 1 + 2.75 * Math.log10(ratePerSec)),
  );
}

/** Errors are shown as more than they are, or one in a thousand would never be seen. */
export function failRatio({ errorRatio, look, cutCount, callerCount }: PathFigures): number {
  if (look === 'cut') return 1;
  const shown = errorRatio === 0 ? 0 : Math.max(0.06, errorRatio);
  return look === 'partly' ? Math.max(shown, cutCount / callerCount) : shown;
}

/** Where what fails ends: at the gap of a cut, at the bar of who refuses. */
export function endOf({ lengthPx, figures }: Flow, fails: number): number {
  if (fails && (figures?.look === 'cut' || figures?.look === 'partly')) return lengthPx / 2 - 8;
  if (fails && figures?.look === 'refused') return lengthPx - 12;
  return lengthPx;
}

function flowing({ look, ratePerSec }: PathFigures): boolean {
  return ratePerSec > 0 && look !== 'unknown';
}

/** 0 to 1, by two numbers (Wang's integer hash). */
function chance(serial: number, salt: number): number {
  let hash = (serial * 2_654_435_761 + salt * 40_503) >>> 0;
  hash = (hash ^ 61 ^ (hash >>> 16)) >>> 0;
  hash = Math.imul(hash, 9) >>> 0;
  hash = (hash ^ (hash >>> 4)) >>> 0;
  hash = Math.imul(hash, 0x27d4_eb2d) >>> 0;
  return ((hash ^ (hash >>> 15)) >>> 0) / 4_294_967_296;
}
