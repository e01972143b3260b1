/** Hunts on this thread, by the same code that the command line hunts with. */
import type { System } from '../../src/design/system.ts';
import type { HuntReport } from '../../src/run/api.ts';
import { type Attempt, type Attempted, attemptedOf, attemptOf } from '../../src/run/attempt.ts';
import { hunt } from '../../src/run/hunt.ts';
import { simulateHere } from '../../src/run/node/here.ts';

export async function attemptHere(design: System, attempt: Attempt): Promise<Attempted> {
  const options = attemptOf(design, attempt);
  const { report } = await simulateHere(() => options);
  return attemptedOf(report, options);
}

export interface HuntHereOptions {
  readonly seeds: number;
  readonly seedFirst?: number;
  readonly forUs: number;
  readonly faultsMin?: number;
  readonly findingsMax?: number;
  readonly shrink?: boolean;
}

export function huntHere(design: System, options: HuntHereOptions): Promise<HuntReport> {
  const { seeds, seedFirst = 1, forUs, faultsMin = 3, findingsMax = 1, shrink = true } = options;
  return hunt({
    designPath: `${design.name}.ts`,
    seedFirst,
    seedCount: seeds,
    forUs,
    faultsMin,
    findingsMax,
    shrink,
    attempt: (attempt) => attemptHere(design, attempt),
    attemptFresh: (attempt) => attemptHere(design, attempt),
    parallel: 1,
    clock: () => performance.now(),
    stopped: () => false,
  });
}
