/**
 * Deadlines: how long is left, how much of it one attempt may take, and what to tell the next hop.
 * Instants are the node's own; what crosses to another node is a span, since clocks differ.
 *
 *   caller │◀───────────── timeout 1 s ─────────────▶│
 *     hop  │  120 ms gone │◀──── 880 ms left ─────────▶│ minus what the answer needs on its way back
 *
 * ```ts
 * import { attemptUs, leftUs, parseTimeout, timeoutText } from 'loadpath/parts/deadline';
 *
 * const until = 1_000_000;
 * leftUs(until, 120_000, 5_000); // → 875_000
 * attemptUs({ leftUs: 875_000, attemptTimeoutUs: 250_000, attemptsLeft: 2 }); // → 250_000
 * [timeoutText(875_000), parseTimeout('875m'), parseTimeout('2S')]; // → ['875m', 875_000, 2_000_000]
 * ```
 *
 * Without it each hop waits for its own timeout, and works for callers who have long left. The text form is
 * gRPC's `grpc-timeout` (at most eight digits and a unit), which HTTP has no standard for.
 */
import type { Micros } from '../host/host.ts';

/** What is left until `until`, less what the way back takes; 0 when there is nothing worth beginning. */
export function leftUs(until: Micros, now: Micros, wayBackUs: Micros = 0): Micros {
  return Math.max(0, until - now - wayBackUs);
}

/** The earlier of a caller's deadline, if it gave one, and one's own. */
export function earlier(own: Micros, given: Micros | undefined): Micros {
  return given === undefined ? own : Math.min(own, given);
}

/**
 * How long the next attempt may take: its timeout, but what is left at most; and without a timeout
 * an even share, so that those after it have a chance.
 */
export function attemptUs(given: {
  readonly leftUs: Micros;
  readonly attemptTimeoutUs: Micros | undefined;
  /** This one included. */
  readonly attemptsLeft: number;
}): Micros {
  const share = Math.floor(given.leftUs / Math.max(1, given.attemptsLeft));
  return Math.min(
    given.leftUs,
    given.attemptTimeoutUs ?? Math.max(share, Math.min(1, given.leftUs)),
  );
}

/** gRPC allows eight digits. */
const digitsMax = 99_999_999;

const units = [
  { unit: 'u', us: 1 },
  { unit: 'm', us: 1_000 },
  { unit: 'S', us: 1_000_000 },
  { unit: 'M', us: 60_000_000 },
  { unit: 'H', us: 3_600_000_000 },
] as const;

/** The finest unit that says it exactly; a coarser one, rounded down, where eight digits are too few. */
export function timeoutText(timeoutUs: Micros): string {
  let text = '0u';
  for (const { unit, us } of units) {
    const isExact = timeoutUs % us === 0;
    const count = Math.floor(timeoutUs / us);
    if (count > digitsMax) continue;
    if (text !== '0u' && !isExact) break;
    if (count > 0) text = `${count}${unit}`;
  }
  return text;
}

/** Undefined for what is no timeout: the network is not believed. */
export function parseTimeout(text: string): Micros | undefined {
  const match = /^(\d{1,8})([HMSmun])$/.exec(text);
  if (!match) return undefined;
  const count = Number(match[1]);
  if (match[2] === 'n') return Math.floor(count / 1_000);
  return count * units.find(({ unit }) => unit === match[2])!.us;
}
