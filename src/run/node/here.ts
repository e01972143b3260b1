/**
 * A simulation on this thread: the platform is patched, the loop runs from a macrotask, and
 * afterwards everything is as it was. Runs that would overlap wait for one another.
 */
import { chooseDrain, type Drain } from '../../sim/node/drain.ts';
import { install, uninstall } from '../../sim/node/globals.ts';
import {
  runSimulation,
  type SimulationOptions,
  type SimulationOutcome,
  type Whereabouts,
} from '../simulation.ts';

let chosen: Drain | undefined;
let running = 0;
/** Taken before any patch: the report states real seconds. */
const clock = performance.now.bind(performance);

/** Of this thread, when another watches it. */
let whereabouts: Whereabouts | undefined;

export type HereOptions = Omit<SimulationOptions, 'drain' | 'clock' | 'whereabouts'>;

/**
 * This thread does nothing but simulate: the platform stays patched from here on, so that packages
 * which keep what they find while they load (`const { now } = Date`) find the virtual one. Outside
 * of simulated nodes the originals act.
 */
export function simulateOnly(told: Whereabouts): void {
  whereabouts = told;
  // The way to drain is chosen by the first run: a module is evaluated in a promise, where none works.
  running++;
  install();
}

/** `prepare` runs with the platform patched: user modules must first be loaded there. */
export function simulateHere(prepare: () => HereOptions): Promise<SimulationOutcome> {
  return followHere(prepare, runSimulation);
}

/** The same for callers who are in a macrotask already. */
export function simulateNow(prepare: () => HereOptions): SimulationOutcome {
  return followNow(prepare, runSimulation);
}

/** For other ways to follow a run than to the report at its end. */
export function followHere<T>(
  prepare: () => HereOptions,
  follow: (options: SimulationOptions) => T,
): Promise<T> {
  return new Promise((resolve, reject) => {
    setImmediate(() => {
      try {
        resolve(followNow(prepare, follow));
      } catch (error) {
        reject(error as Error);
      }
    });
  });
}

function followNow<T>(prepare: () => HereOptions, follow: (options: SimulationOptions) => T): T {
  chosen ??= chooseDrain();
  running++;
  install();
  try {
    return follow({ ...prepare(), drain: chosen, clock, whereabouts });
  } finally {
    if (--running === 0) uninstall();
  }
}
