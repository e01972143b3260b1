/**
 * The planted mistakes, hunted for long, for `npm run prove`: how many of so many seeds find each,
 * whether the sound block survives them all, and what is left of the schedules when shrunk.
 */
import { huntHere } from './here.ts';
import { keepsakeWritesUs, planted, register } from './testdata/planted.ts';

/** One line of the table. */
export interface Proof {
  readonly what: string;
  readonly seeds: number;
  readonly violated: number;
  readonly unknown: number;
  /** The first seed that broke something, and its faults before and after shrinking. */
  readonly firstSeed: number | null;
  readonly faultsDrawn: number | null;
  readonly faultsLeft: number | null;
  readonly schedule: readonly string[];
  readonly seconds: number;
}

type Hunted = (typeof planted)[number]['sound'];

const forUs = keepsakeWritesUs;

async function proof(
  what: string,
  design: Hunted,
  options: { readonly seeds: number; readonly forUs?: number; readonly faultsMin?: number },
): Promise<Proof> {
  const report = await huntHere(design, { forUs, ...options, findingsMax: 50 });
  const finding = report.findings[0];
  return {
    what,
    seeds: report.seedsDone,
    violated: report.violatedCount,
    unknown: report.unknownCount,
    firstSeed: finding?.seed ?? null,
    faultsDrawn: finding?.faultCountBefore ?? null,
    faultsLeft: finding?.faults.length ?? null,
    schedule: finding?.faults ?? [],
    seconds: report.wallSeconds,
  };
}

export async function prove(seeds: number, told: (proof: Proof) => void): Promise<void> {
  for (const { name, broken, sound } of planted) {
    told(await proof(`${name}, planted`, broken, { seeds }));
    told(await proof(`${name}, mended`, sound, { seeds }));
  }
  const quorum = register(undefined, { consistency: 'quorum' });
  told(await proof('a quorum as a register', quorum, { seeds }));
  const ids = planted.find(({ name }) => name === 'idsToldFirst')!;
  const storm = { seeds: 10, forUs: 20_000_000, faultsMin: 200 };
  told(await proof('idsToldFirst under 200 faults', ids.broken, storm));
}
