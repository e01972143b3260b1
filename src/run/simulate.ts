/**
 * `simulate(design)`: a report, inside Vitest or any other runner.
 *
 *   const report = await simulate(design, { seed: 7, for: '60s', faults: ['kill links/1 at 20s'] });
 *   expect(report.objectives.every((objective) => objective.holds)).toBe(true);
 */
import { isSystem, type System } from '../design/system.ts';
import { show } from '../kit/config.ts';
import { type Problem, refuse } from '../kit/errors.ts';
import type { SettingTable } from '../kit/settings.ts';
import {
  type DurationText,
  parseDuration,
  parseRate,
  type RateText,
  ratePerSec,
} from '../kit/units.ts';
import { designOf, resolve } from './options.ts';
import type { Report } from './report.ts';

export interface SimulateOptions {
  /** Default 1. The same seed gives the same run. */
  readonly seed?: number;
  /** Length of the load. Default '30s'. */
  readonly for?: DurationText;
  /**
   * For how long users come before the load, as in its first instant and uncounted: queues and caches are
   * filled when measuring begins. Faults are timed from the load. Default: no time.
   */
  readonly warmUp?: DurationText;
  /** Sentences, added to the design's own: `'kill links/1 at 10s, restart after 5s'`. */
  readonly faults?: readonly string[];
  /** In place of the design's arrival rate. */
  readonly rate?: RateText;
  /** Options in place of the design's, which must be a file then: `{ 'links.replicas': 5 }`. */
  readonly set?: SettingTable;
  /** Freeze messages, pass them through the codec, hash content. Slower; for tests of blocks. */
  readonly check?: boolean;
}

/**
 * Simulates a design: a `system(…)`, or the path or URL of a file that exports one. From a file,
 * each instance of a service gets its own modules, gone after a crash; a value shares its modules
 * with the test. Throws `LoadpathError` for mistakes; a broken promise is in the report.
 */
export async function simulate(
  design: System | string | URL,
  options: SimulateOptions = {},
): Promise<Report> {
  const asked = checked(options);
  const { seed, check } = asked;
  // Every design imports this module with `loadpath`; a live node has no use for a simulator.
  const { evaluatedAlone, simulateHere } = await import('./node/here.ts');
  if (typeof design !== 'string' && !(design instanceof URL)) {
    refuseOthers(design);
    if (options.set) {
      const what = 'needs the path of a design: this one has its options already';
      refuse('bad-option', 'simulate', [{ at: 'set', what }]);
    }
    const { report } = await simulateHere(() => ({
      design,
      seed,
      check,
      ...resolve(design, asked),
    }));
    return report;
  }
  const path = typeof design === 'string' ? design : decodeURIComponent(design.pathname);
  const { loadDesign } = await import('./node/load.ts');
  const loaded = await loadDesign(path);
  const evaluate = (): System => designOf(loaded, { set: options.set });
  const { report } = await simulateHere(() => {
    const system = evaluatedAlone(evaluate);
    return { design: system, afresh: evaluate, seed, check, ...resolve(system, asked) };
  });
  return report;
}

/** What the compiler lets nobody pass, but a test without types. */
function refuseOthers(given: unknown): void {
  if (isSystem(given)) return;
  const isModule = typeof given === 'object' && given !== null && 'default' in given;
  const hint =
    isModule && isSystem(given.default) ? ': it is a module, give its default export' : '';
  const what = `must be a system('name', { … }), or the path or URL of a file that exports one, got ${show(given)}${hint}`;
  refuse('bad-option', 'simulate', [{ at: 'design', what }]);
}

function checked(options: SimulateOptions) {
  const problems: Problem[] = [];
  const known = ['seed', 'for', 'warmUp', 'faults', 'rate', 'set', 'check'];
  for (const name of Object.keys(options)) {
    if (!known.includes(name))
      problems.push({ at: name, what: `no such option; there are ${known.join(', ')}` });
  }
  const seed = options.seed ?? 1;
  if (!Number.isSafeInteger(seed) || seed < 0) {
    problems.push({ at: 'seed', what: `must be a whole number, got ${show(options.seed)}` });
  }
  const forUs = options.for === undefined ? undefined : parseDuration(options.for);
  if (options.for !== undefined && !forUs) {
    problems.push({ at: 'for', what: `must be a duration like '30s', got ${show(options.for)}` });
  }
  const warmUpUs = options.warmUp === undefined ? 0 : parseDuration(options.warmUp);
  if (warmUpUs === undefined) {
    const what = `must be a duration like '10s', got ${show(options.warmUp)}`;
    problems.push({ at: 'warmUp', what });
  }
  const rate = options.rate === undefined ? undefined : parseRate(options.rate);
  if (options.rate !== undefined && !rate) {
    problems.push({ at: 'rate', what: `must be a rate like '500/s', got ${show(options.rate)}` });
  }
  if (problems.length > 0) refuse('bad-option', 'simulate', problems);
  return {
    seed,
    forUs,
    warmUpUs,
    ratePerSec: rate && ratePerSec(rate),
    faults: options.faults ?? [],
    check: options.check ?? false,
  };
}
