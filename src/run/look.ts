/** What is known of a design without running it, as plain data: what Studio shows of it. */
import { type FaultNames, formatFault } from '../design/faults.ts';
import { type OptionTable, optionsOf } from '../design/options.ts';
import { type StructuralView, structureOf } from '../design/structure.ts';
import { namesIn, type System } from '../design/system.ts';
import { formatDuration } from '../kit/units.ts';
import type { Objectives } from './report.ts';

export interface DesignLook {
  readonly structure: StructuralView;
  readonly options: OptionTable;
  /** As a user writes them: `{ p99: '80ms', availability: 0.99 }`. */
  readonly objectives: Readonly<Record<string, string | number>>;
  readonly invariants: readonly string[];
  /** Those that happen in every run of it. */
  readonly faults: readonly string[];
  /** What a fault may name. */
  readonly names: FaultNames;
}

export function lookAt(design: System): DesignLook {
  const look: DesignLook = {
    structure: structureOf(design),
    options: optionsOf(design),
    objectives: written(design.objectives),
    invariants: design.invariants.map(({ name }) => name),
    faults: design.faults.map(formatFault),
    names: namesIn(design),
  };
  // A config may hold the design's own functions, which do not cross to another thread.
  return JSON.parse(JSON.stringify(look)) as DesignLook;
}

function written({ availability, throughputPerSec, ...latencies }: Objectives) {
  const promised: Record<string, string | number> = {};
  for (const [name, us] of Object.entries(latencies)) {
    if (us !== undefined) promised[name.replace(/Us$/, '')] = formatDuration(us);
  }
  if (availability !== undefined) promised.availability = availability;
  if (throughputPerSec !== undefined) promised.throughput = `${throughputPerSec}/s`;
  return promised;
}
