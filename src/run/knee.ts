/**
 * Where a curve of a sweep bends: the last value at which the system still does well, seen from
 * the end where it does.
 *
 *   p99 │              ╱         Well is: what is offered is achieved, to 99 %, and p99 is at most
 *       │             ╱          three times that at the good end of the curve. Of a single queue
 *       │           ╱            with exponential service that is at two thirds of its capacity
 *    3x ├ ─ ─ ─ ─ ●              (sojourn 1 / (1 - load), so 3x at load 2/3), wherever one looks
 *       │__──----╱knee           from; a rule that measures curvature moves with the range swept.
 *       └────────────── rate
 *
 * Requests that came last are still under way when a load ends, however well a system does: as many
 * as come in the time that one may take, which is the p99 of the good end, and one.
 *
 * A sweep over capacity (instances) bends at its other end: there the good end is the right one.
 */
import type { SweepPoint, SweepReport } from './sweep.ts';

const p99FactorMax = 3;
const achievedMin = 0.99;

/** Null when all do well, or none does, or too few points lie on an axis. */
export function kneeOf(over: string, given: readonly SweepPoint[]): SweepReport['knee'] {
  const points = [...given].sort((a, b) => a.x - b.x);
  if (points.length < 3) return null;
  const [first, last] = [points[0]!, points.at(-1)!];
  const isLoad = strain(first) <= strain(last);
  const walk = isLoad ? points : points.reverse();
  const base = walk[0]!;
  if (!achieves(base) || base.latencyMs.p99.mean === 0) return null;
  const index = walk.findIndex(
    (point) => !achieves(point, base) || factorOf(point, base) > p99FactorMax,
  );
  if (index < 1) return null;
  const knee = walk[index - 1]!;
  return { value: knee.value, x: knee.x, why: whyOf(over, base, knee, walk[index]!) };
}

/** How badly off users are: first who is served at all, then how late. */
function strain(point: SweepPoint): number {
  return achieves(point) ? point.latencyMs.p99.mean : Number.POSITIVE_INFINITY;
}

/** Whether what was offered was served, but for what was under way at the end: by itself, or as well as `base`. */
export function achieves(point: SweepPoint, base: SweepPoint = point): boolean {
  const { throughputPerSec, offeredPerSec, loadSeconds } = point;
  const underWay = 1 + (offeredPerSec * base.latencyMs.p99.mean) / 1_000;
  return (
    throughputPerSec.mean * loadSeconds + underWay >= achievedMin * offeredPerSec * loadSeconds
  );
}

function factorOf(point: SweepPoint, base: SweepPoint): number {
  return point.latencyMs.p99.mean / base.latencyMs.p99.mean;
}

function whyOf(over: string, base: SweepPoint, knee: SweepPoint, beyond: SweepPoint): string {
  const p99 = (point: SweepPoint) => `${short(point.latencyMs.p99.mean)} ms`;
  const good =
    knee === base
      ? `at ${over} ${knee.value} p99 is ${p99(knee)}`
      : `p99 is ${p99(base)} at ${over} ${base.value} and ${p99(knee)} at ${knee.value}`;
  const achieved = (beyond.throughputPerSec.mean / beyond.offeredPerSec) * 100;
  const bad = achieves(beyond, base)
    ? `at ${beyond.value} it is ${p99(beyond)}, ${short(factorOf(beyond, base))} times that at ${base.value}`
    : `at ${beyond.value} only ${short(beyond.throughputPerSec.mean)} of ${short(beyond.offeredPerSec)} requests a second are served (${short(achieved)} %)`;
  return `${good}; ${bad}`;
}

function short(value: number): string {
  if (value >= 1_000) return String(Math.round(value));
  return String(Number(value.toPrecision(3)));
}
