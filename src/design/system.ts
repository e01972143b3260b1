/**
 * `system('shortener', { … })`: the design as a whole. Everything that is wrong with it is said at
 * once, before anything starts.
 */
import type { ServiceConfig } from '../blocks/compute/service/config.ts';
import type { Gateway } from '../blocks/edge/gateway/index.ts';
import type { LoadOverride, Workload } from '../blocks/workload/users/index.ts';
import type { Declaration } from '../host/declaration.ts';
import type { Fault } from '../host/fault.ts';
import type { Micros } from '../host/host.ts';
import type { NetworkPlan, Plan, ZonePlan } from '../host/plan.ts';
import { nearest, show } from '../kit/config.ts';
import { type Problem, refuse } from '../kit/errors.ts';
import type { MetOption } from '../kit/settings.ts';
import {
  type DurationText,
  parseDuration,
  parseRate,
  type RateText,
  ratePerSec,
} from '../kit/units.ts';
import type { Invariant } from '../verify/verdict.ts';
import { type FaultNames, parseFault, withStarts } from './faults.ts';
import { type NetworkOptions, networkOf } from './network.ts';
import { expand, reachable } from './plan.ts';

/** What the design promises its users. Judged over the measured load. */
export interface ObjectiveOptions {
  readonly p50?: DurationText;
  readonly p90?: DurationText;
  readonly p99?: DurationText;
  readonly p999?: DurationText;
  /** Share of requests that did not fail, 0 … 1. What was rejected with 429 does not count. */
  readonly availability?: number;
  /** Requests served a second while the load lasts, at least. */
  readonly throughput?: RateText;
}

/** Checked and in whole units; undefined: not promised. */
export interface Objectives {
  readonly p50Us?: Micros;
  readonly p90Us?: Micros;
  readonly p99Us?: Micros;
  readonly p999Us?: Micros;
  readonly availability?: number;
  readonly throughputPerSec?: number;
}

export interface SystemOptions {
  /** What users talk to: a gateway, or a service. */
  readonly entry: Declaration;
  /** Blocks that nobody binds: consumers, jobs. */
  readonly blocks?: readonly Declaration[];
  readonly workload?: Workload;
  readonly objectives?: ObjectiveOptions;
  readonly invariants?: readonly Invariant[];
  /** Sentences: `'kill links/1 at 30s, restart after 5s'`. */
  readonly faults?: readonly string[];
  /** Where nodes stand. Default: zones a, b and c of one region. */
  readonly zones?: readonly (string | ZonePlan)[];
  /** How far nodes are from each other. Default: as in a cloud region. */
  readonly network?: NetworkOptions;
  /** Commands that `loadpath run` shows for pasting; `{url}` becomes the address of the edge. */
  readonly tryIt?: readonly string[];
}

export interface System {
  readonly kind: 'system';
  readonly name: string;
  readonly entry: Declaration;
  readonly declarations: readonly Declaration[];
  readonly workload: Workload | undefined;
  readonly objectives: Objectives;
  readonly invariants: readonly Invariant[];
  readonly faults: readonly Fault[];
  readonly zones: readonly ZonePlan[];
  readonly network: NetworkPlan;
  readonly tryIt: readonly string[];
  /** By path, the options of its blocks as they were met while it was made; see `configured`. */
  readonly options?: ReadonlyMap<string, MetOption>;
}

const threeZones: readonly ZonePlan[] = ['a', 'b', 'c'].map((name) => ({ name, region: 'home' }));

/** Throws `LoadpathError` ('bad-design') naming every mistake in it. */
export function system(name: string, options: SystemOptions): System {
  const problems: Problem[] = [];
  const known = [
    'entry',
    'blocks',
    'workload',
    'objectives',
    'invariants',
    'faults',
    'zones',
    'network',
    'tryIt',
  ];
  for (const option of Object.keys(options)) {
    if (known.includes(option)) continue;
    const near = nearest(option, known);
    problems.push({
      at: `${name}.${option}`,
      what: `no such option${near ? `; did you mean ${near}?` : ''}`,
    });
  }
  const { entry } = options;
  if (!isDeclaration(entry) || !entry.block.servesWeb) {
    const given = isDeclaration(entry) ? `a ${entry.block.kind}` : show(entry);
    problems.push({ at: `${name}.entry`, what: `must be a gateway or a service, got ${given}` });
    return refuse('bad-design', name, problems);
  }
  const more: readonly unknown[] = options.blocks ?? [];
  more.forEach((block, index) => {
    if (isDeclaration(block)) return;
    problems.push({ at: `${name}.blocks[${index}]`, what: `must be a block, got ${show(block)}` });
  });
  const { workload } = options;
  // Users may look names up in what nobody else uses.
  const ofUsers = Object.values(workload?.declare(entry).binds ?? {});
  const declarations = reachable([entry, ...more.filter(isDeclaration), ...ofUsers]);
  problems.push(...declarations.flatMap((declaration) => declaration.problems));
  problems.push(...sameNames(declarations));
  if (workload) problems.push(...workload.declare(entry).problems);
  const zones = zonesOf(name, options.zones ?? threeZones, problems);
  const network = networkOf(`${name}.network`, options.network ?? {}, problems);
  const objectives = objectivesOf(name, options.objectives ?? {}, problems);
  const tryIt: unknown = options.tryIt ?? [];
  if (!Array.isArray(tryIt) || tryIt.some((command) => typeof command !== 'string')) {
    problems.push({ at: `${name}.tryIt`, what: `must be a list of commands, got ${show(tryIt)}` });
  }
  const invariants = invariantsOf(name, options.invariants ?? [], problems);
  const draft: System = {
    kind: 'system',
    name,
    entry,
    declarations,
    workload,
    objectives,
    invariants,
    faults: [],
    zones,
    network,
    tryIt: options.tryIt ?? [],
  };
  problems.push(...misjudged(draft));
  if (problems.length > 0) return refuse('bad-design', name, problems);
  // Names in faults are those of nodes: there must be a plan first.
  const faults = faultsOf(draft, options.faults ?? [], problems);
  if (problems.length > 0) return refuse('bad-design', name, problems);
  return { ...draft, faults };
}

/** Everything that is declared, the users included. `load` replaces the load that the design declares. */
export function declarationsOf(design: System, load?: LoadOverride): readonly Declaration[] {
  const crowd = design.workload?.declare(design.entry, { load });
  if (crowd && crowd.problems.length > 0) refuse('bad-option', design.name, crowd.problems);
  return crowd ? [...design.declarations, crowd] : design.declarations;
}

export function planOf(design: System, load?: LoadOverride): Plan {
  return expand(design.name, declarationsOf(design, load), design.zones, design.network);
}

/** The names that fault sentences may use. */
export function namesIn(design: System): FaultNames {
  const plan = planOf(design);
  return {
    nodes: plan.nodes.map(({ id }) => id),
    blocks: [...new Set(plan.nodes.map(({ block }) => block))],
    zones: design.zones.map((zone) => zone.name),
    regions: [...new Set(design.zones.map((zone) => zone.region))],
    growing: design.declarations
      .filter(({ block }) => block.member !== undefined)
      .map(({ name }) => name),
    releases: Object.fromEntries(
      design.declarations
        // What is somebody else's is called in the same way, and may be as slow.
        .filter(({ block }) => block.kind === 'service' || block.kind === 'external')
        .map(({ name, config }) => [name, Object.keys((config as ServiceConfig).traffic)]),
    ),
  };
}

export function isSystem(value: unknown): value is System {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'system';
}

export type { Gateway };

function isDeclaration(value: unknown): value is Declaration {
  return typeof value === 'object' && value !== null && 'block' in value && 'binds' in value;
}

function invariantsOf(
  name: string,
  given: readonly Invariant[],
  problems: Problem[],
): readonly Invariant[] {
  const at = `${name}.invariants`;
  if (!Array.isArray(given)) {
    problems.push({ at, what: `must be a list of invariants, got ${show(given)}` });
    return [];
  }
  return given.filter((one, index) => {
    const isOne = typeof one?.name === 'string' && typeof one.check === 'function';
    const what = `must be an invariant, such as invariant('a name', check), got ${show(one)}`;
    if (!isOne) problems.push({ at: `${at}[${index}]`, what });
    return isOne;
  });
}

function zonesOf(
  name: string,
  given: readonly (string | ZonePlan)[],
  problems: Problem[],
): readonly ZonePlan[] {
  const at = `${name}.zones`;
  if (!Array.isArray(given) || given.length === 0) {
    problems.push({ at, what: `must be a list of at least one zone, got ${show(given)}` });
    return threeZones;
  }
  const zones = given.map((zone): ZonePlan => {
    const plan = typeof zone === 'string' ? { name: zone, region: 'home' } : zone;
    if (isNamed(plan?.name) && isNamed(plan.region)) return plan;
    const what = `must be a name or { name, region }, of letters, digits and dashes, got ${show(zone)}`;
    problems.push({ at, what });
    return { name: '', region: '' };
  });
  const twice = zones.find((zone, i) => zones.findIndex(({ name }) => name === zone.name) < i);
  if (twice?.name) problems.push({ at, what: `two zones are called ${twice.name}` });
  return zones;
}

function isNamed(name: unknown): name is string {
  return typeof name === 'string' && /^[a-z][a-z0-9-]*$/i.test(name);
}

function sameNames(declarations: readonly Declaration[]): readonly Problem[] {
  const problems: Problem[] = [];
  const met = new Map<string, Declaration>();
  for (const declaration of declarations) {
    const { name } = declaration;
    if (!isNamed(name)) {
      problems.push({
        at: show(name),
        what: 'a block name must be letters, digits and dashes, beginning with a letter',
      });
    }
    const other = met.get(name);
    if (other) {
      problems.push({
        at: name,
        what: `two blocks have this name: a ${other.block.kind} and a ${declaration.block.kind}`,
      });
    }
    if (name === 'users' || name === 'control') {
      problems.push({ at: name, what: 'this name is taken by the run itself' });
    }
    met.set(name, declaration);
  }
  return problems;
}

/** Claims about blocks that are not there, and those that their judge cannot judge. */
function misjudged({ name, declarations, invariants }: System): readonly Problem[] {
  return invariants.flatMap(({ name: claim, block, judges }) => {
    if (block === undefined) return [];
    const about = declarations.find((one) => one.name === block);
    if (!about) {
      const near = nearest(
        block,
        declarations.map((one) => one.name),
      );
      const what = `${claim}: ${block} is not a block of this design${near ? `; did you mean ${near}?` : ''}`;
      return [{ at: `${name}.invariants`, what }];
    }
    const { kind, records } = about.block;
    if (!judges || records?.every((operation) => judges.includes(operation))) return [];
    const recorded = records ? `records ${records.join(', ')}` : 'records nothing that is judged';
    const what = `${claim}: ${block} is a ${kind} and ${recorded}; this claim is about ${judges.join(', ')}`;
    return [{ at: `${name}.invariants`, what }];
  });
}

function faultsOf(
  design: System,
  sentences: readonly string[],
  problems: Problem[],
): readonly Fault[] {
  if (sentences.length === 0) return [];
  const names = withStarts(sentences, namesIn(design));
  return sentences.flatMap((sentence, index) => {
    try {
      return [parseFault(sentence, names)];
    } catch (failure) {
      const what = failure instanceof Error ? failure.message : String(failure);
      problems.push({ at: `${design.name}.faults[${index}]`, what });
      return [];
    }
  });
}

function objectivesOf(at: string, options: ObjectiveOptions, problems: Problem[]): Objectives {
  const objectives: { -readonly [K in keyof Objectives]: Objectives[K] } = {};
  const wrong = (name: string, what: string): void => {
    problems.push({ at: `${at}.objectives.${name}`, what });
  };
  for (const [name, target] of Object.entries(options)) {
    if (target === undefined) continue;
    if (name === 'availability') {
      if (typeof target === 'number' && target > 0 && target <= 1) objectives.availability = target;
      else wrong(name, `must be a share above 0 and up to 1, like 0.999, got ${show(target)}`);
    } else if (name === 'throughput') {
      const rate = typeof target === 'string' ? parseRate(target) : undefined;
      if (rate) objectives.throughputPerSec = ratePerSec(rate);
      else wrong(name, `must be a rate like '100/s', got ${show(target)}`);
    } else if (name === 'p50' || name === 'p90' || name === 'p99' || name === 'p999') {
      const us = typeof target === 'string' ? parseDuration(target) : undefined;
      if (us !== undefined) objectives[`${name}Us`] = us;
      else wrong(name, `must be a duration like '50ms', got ${show(target)}`);
    } else {
      wrong(name, 'no such objective; there are p50, p90, p99, p999, availability, throughput');
    }
  }
  return objectives;
}
