/**
 * A simulation on this thread: the platform is patched, the loop runs from a macrotask, and
 * afterwards everything is as it was. Runs that would overlap wait for one another.
 */
import { LoadpathError } from '../../kit/errors.ts';
import { seeded } from '../../kit/random.ts';
import { chooseDrain, type Drain } from '../../sim/node/drain.ts';
import { install, uninstall } from '../../sim/node/globals.ts';
import { enter } from '../../sim/node/scope.ts';
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

/**
 * Evaluates a design for its plan, in the name of no node. Its modules draw and read the clock all the
 * same, and must find what they found before: or the plan, and with it a run, would not repeat. Timers
 * that they set are for their nodes, which evaluate them again.
 */
export function evaluatedAlone<T>(evaluate: () => T): T {
  const wallUs = Date.UTC(2026, 0, 1) * 1_000;
  const before = enter({
    node: 'the design',
    now: () => 0,
    wall: () => wallUs,
    after: () => ({ cancel: () => {} }),
    random: seeded(0).fork('design'),
    fetch: () => Promise.reject(new LoadpathError('real-io', 'a design calls nobody as it loads')),
    log: (_level, text) => {
      const here = enter(undefined);
      console.error(text);
      enter(here);
    },
    // What is thrown ends its loading, unless it copes: no node has done anything by then.
    reached: () => {},
  });
  try {
    return evaluate();
  } finally {
    enter(before);
  }
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
