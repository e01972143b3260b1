/**
 * A path between two blocks, as data: who serves at its end, and what callers count of it.
 *
 * The figures stand under reserved names of the callers' own meters, so that a run can be drawn path by
 * path, the same in both worlds:
 *
 *   calls links          counter, begun              call errors links    counter
 *   call latency links   histogram (µs), ended: failures too, given up ones not
 */
import type { Counter, Meter, Micros, NodeId, Recorder } from './host.ts';

/** One who serves. */
export type Member = {
  readonly node: NodeId;
  /** Its share beside the others. Default: 1. */
  readonly weight?: number | undefined;
  /** Where it stands; zone-aware balancing needs it. */
  readonly zone?: string | undefined;
  /** Where it takes requests. Default: `web`. */
  readonly port?: string | undefined;
};

/** Who serves, by release, and how traffic is split between the releases. Plain data. */
export type Targets = {
  /** A name alone is a member with nothing more to say of it. Order means nothing. */
  readonly releases: Readonly<Record<string, readonly (NodeId | Member)[]>>;
  readonly traffic: Readonly<Record<string, number>>;
  /** How many callers stand in each zone, for zone-aware balancing. */
  readonly callers?: Readonly<Record<string, number>> | undefined;
};

export interface PathMeter {
  readonly calls: Counter;
  /** Timed out, refused, broken off, or answered with a failure. */
  readonly errors: Counter;
  readonly latency: Recorder;
}

export type PathFigure = keyof PathMeter;

/** Longer prefixes are no beginnings of shorter ones, so the order does not matter. */
const prefixes: Readonly<Record<PathFigure, string>> = {
  calls: 'calls ',
  errors: 'call errors ',
  latency: 'call latency ',
};

/** The names of the meters that a caller keeps of the path to `block`. */
export function pathNames(block: string): Readonly<Record<PathFigure, string>> {
  return {
    calls: prefixes.calls + block,
    errors: prefixes.errors + block,
    latency: prefixes.latency + block,
  };
}

export function pathMeter(meter: Meter, block: string): PathMeter {
  const { calls, errors, latency } = pathNames(block);
  return {
    calls: meter.counter(calls),
    errors: meter.counter(errors),
    latency: meter.histogram(latency),
  };
}

/** What the name of a meter says about a path; undefined for every other meter. */
export function pathFigureOf(
  name: string,
): { readonly figure: PathFigure; readonly to: string } | undefined {
  if (!name.startsWith('call')) return undefined;
  for (const figure of ['calls', 'errors', 'latency'] as const) {
    const prefix = prefixes[figure];
    if (name.startsWith(prefix)) return { figure, to: name.slice(prefix.length) };
  }
  return undefined;
}

/** Ids are `block/index`. */
export function blockOfNode(node: NodeId): string {
  return node.slice(0, node.lastIndexOf('/'));
}

/** Where a caller finds its directory on its own node, and how long a first call waits for a list. */
export type DirectoryPlace = {
  readonly port: string;
  readonly waitUs: Micros;
  /** Where those that it lists take requests. Default: `web`. */
  readonly door?: string | undefined;
};
