/** From what a user asks of a run (sentences, durations) to what a run takes. All mistakes at once. */
import type { LoadOverride, Visit } from '../blocks/workload/users/index.ts';
import { formatFault, parseFault, parseFaults, withStarts } from '../design/faults.ts';
import { isDesignData, systemFromJson } from '../design/json.ts';
import { configured } from '../design/overrides.ts';
import { isSystem, namesIn, type System } from '../design/system.ts';
import type { FaultPlan } from '../host/fault.ts';
import type { Micros } from '../host/host.ts';
import { show } from '../kit/config.ts';
import { LoadpathError, type Problem, refuse } from '../kit/errors.ts';
import type { SettingTable } from '../kit/settings.ts';
import { formatDuration } from '../kit/units.ts';
import { isLab } from './labs/lab.ts';

/** How long the load lasts when nobody says. */
export const defaultLoadUs: Micros = 30_000_000;

export interface Asked {
  readonly forUs?: Micros | undefined;
  readonly warmUpUs?: Micros | undefined;
  readonly faults?: readonly string[] | undefined;
  readonly ratePerSec?: number | undefined;
  readonly visits?: readonly Visit[] | undefined;
}

export interface Resolved {
  readonly forUs: Micros;
  readonly warmUpUs: Micros;
  readonly faults: FaultPlan;
  readonly load: LoadOverride | undefined;
}

export function resolve(design: System, asked: Asked): Resolved {
  const faults = asked.faults?.length ? parseFaults(asked.faults, namesIn(design)) : [];
  const lastVisitUs = asked.visits?.at(-1)?.atUs;
  const { warmUpUs = 0 } = asked;
  if (warmUpUs > 0 && asked.visits) {
    const what = 'has no use with a recorded log: what was recorded is sent once';
    refuse('bad-option', design.name, [{ at: 'warm-up', what }]);
  }
  return {
    warmUpUs,
    forUs: asked.forUs ?? (lastVisitUs === undefined ? defaultLoadUs : lastVisitUs + 1_000_000),
    faults: [...design.faults, ...faults],
    load: loadOf(asked),
  };
}

function loadOf({ visits, ratePerSec }: Asked): LoadOverride | undefined {
  if (visits) return { visits };
  return ratePerSec === undefined ? undefined : { rate: `${ratePerSec}/s` };
}

/** What is to be other than in the design's file. */
export interface Otherwise {
  /** Options in place of the design's: `{ 'links.replicas': 5 }`. */
  readonly set?: SettingTable | undefined;
  /** A design of data in place of the file's. */
  readonly data?: unknown;
}

/** A design file as it was loaded: what a run needs to know of it. */
interface Loaded {
  readonly path: string;
  /** From a file beside it, and where each stands. */
  readonly savedFaults: readonly { readonly sentence: string; readonly at: string }[];
  evaluate(): { readonly default: unknown };
}

/** Evaluates a design afresh, with the options set. Faults saved beside it are its own. */
export function designOf(loaded: Loaded, { set, data }: Otherwise = {}): System {
  const { path, savedFaults } = loaded;
  if (data !== undefined) return configured(() => systemIn(data, path), set);
  const design = configured(() => systemIn(loaded.evaluate().default, path), set);
  if (savedFaults.length === 0) return design;
  const sentences = savedFaults.map(({ sentence }) => sentence);
  const names = withStarts(sentences, namesIn(design));
  const problems: Problem[] = [];
  const saved = savedFaults.flatMap(({ sentence, at }) => {
    try {
      return [parseFault(sentence, names)];
    } catch (failure) {
      if (!(failure instanceof LoadpathError)) throw failure;
      problems.push({ at, what: failure.message });
      return [];
    }
  });
  if (problems.length > 0) return refuse('bad-design', design.name, problems);
  return { ...design, faults: [...design.faults, ...saved] };
}

/** What a design file exports, or a clear word on why it cannot be run. */
export function systemIn(exported: unknown, path: string): System {
  if (isSystem(exported)) return exported;
  if (isLab(exported) && exported.design) return exported.design;
  if (isDesignData(exported)) return systemFromJson(exported);
  if (path.endsWith('.json')) return systemFromJson(dataIn(exported, path));
  throw new LoadpathError(
    'bad-design',
    `${path}: the default export must be a system('name', { … }), got ${exported === null ? 'null' : typeof exported}`,
  );
}

/** Of a file that holds data: what of a design is missing there, its reader says. */
function dataIn(exported: unknown, path: string): Readonly<Record<string, unknown>> {
  const isObject = typeof exported === 'object' && exported !== null && !Array.isArray(exported);
  if (isObject) return exported as Readonly<Record<string, unknown>>;
  const what = `must be an object with name, blocks and entry, got ${show(exported)}`;
  return refuse('bad-design', path, [{ at: path, what }]);
}

/** Notes on faults that do nothing: nobody should read their absence as survival. */
export function idleFaults({
  faults,
  forUs,
  load,
}: Pick<Resolved, 'faults' | 'forUs'> & { readonly load?: Resolved['load'] }): readonly string[] {
  const isRecorded = load !== undefined && 'visits' in load;
  return faults.flatMap((fault) => {
    const text = formatFault(fault);
    if (fault.atUs >= forUs)
      return `'${text}' did not happen: the load ended at ${formatDuration(forUs)}`;
    if (fault.do === 'surge' && isRecorded)
      return `'${text}' did nothing: what a log recorded is sent as it was`;
    return [];
  });
}
