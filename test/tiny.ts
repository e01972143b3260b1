/** A world that fits on a page, to see what the platform does for code of a node. */
import { seeded } from '../src/kit/random.ts';
import { chooseDrain } from '../src/sim/node/drain.ts';
import { enter, type Scope } from '../src/sim/node/scope.ts';

/** Kept before anything is replaced, to get into a macrotask. */
export const realSetTimeout = globalThis.setTimeout;

/** A test's body may run in a microtask, where nothing can be drained. */
export function inMacrotask<T>(run: () => T): Promise<T> {
  return new Promise((resolve, reject) => {
    realSetTimeout(() => {
      try {
        resolve(run());
      } catch (failure) {
        reject(failure);
      }
    }, 0);
  });
}

/**
 * The least world that can run user code: one node, a sorted list of timers, a synchronous drain.
 * Runs `start` on node `api/0` until no timer is left; returns what it logged.
 */
export function simulate(start: () => Promise<void> | void, seed = 1): Promise<string[]> {
  return inMacrotask(() => {
    const drain = chooseDrain();
    const lines: string[] = [];
    let nowUs = 0;
    let sequence = 0;
    let timers: { at: number; sequence: number; fire: () => void }[] = [];
    const scope: Scope = {
      node: 'api/0',
      now: () => nowUs,
      wall: () => 1_800_000_000_000_000 + nowUs,
      after(delayUs, fire) {
        const timer = { at: nowUs + delayUs, sequence: sequence++, fire };
        timers.push(timer);
        return {
          cancel: () => {
            timers = timers.filter((one) => one !== timer);
          },
        };
      },
      random: seeded(seed).fork('api/0'),
      async fetch(input) {
        await new Promise<void>((resolve) => scope.after(5_000, resolve));
        return Response.json({ asked: String(input), atUs: nowUs });
      },
      log: (level, text) => lines.push(`${nowUs} ${level}: ${text}`),
      reached: (call) => lines.push(`${nowUs} reached: ${call}`),
    };
    scope.after(0, () => {
      void start();
    });
    for (let steps = 0; steps < 10_000; steps++) {
      const next = timers.sort((a, b) => a.at - b.at || a.sequence - b.sequence).shift();
      if (!next) return lines;
      nowUs = next.at;
      enter(scope);
      try {
        next.fire();
        drain();
      } finally {
        enter(undefined);
      }
    }
    throw new Error('the tiny world does not come to rest');
  });
}
