/**
 * The effective policy of every path, after defaults, and the longest that a request may take:
 * what one would otherwise gather from five files.
 */
import type { Micros } from '../host/host.ts';
import { formatDuration } from '../kit/units.ts';
import { amplificationOf, type Chain, chainsOf } from './chains.ts';
import { type CallView, idempotentMethods, type StructuralView } from './structure.ts';

type Config = Readonly<Record<string, unknown>>;

export interface PathExplanation {
  readonly from: string;
  readonly to: string;
  readonly as: string;
  /** In the order in which a call meets them. */
  readonly stages: readonly string[];
  /** The longest a caller waits, retries included; undefined: for ever. */
  readonly waitMaxUs: Micros | undefined;
  /** Attempts that one call may cause, on average over time. */
  readonly amplification: number;
}

export interface Explanation {
  readonly design: string;
  readonly blocks: readonly {
    readonly name: string;
    readonly kind: string;
    readonly purpose: string;
    /** `3 nodes: a, b, c`. */
    readonly nodes: string;
    readonly config: Config;
  }[];
  readonly paths: readonly PathExplanation[];
  /** From who is called by nobody to who calls nobody: what retries on every floor may come to. */
  readonly chains: readonly Chain[];
}

export function explain(view: StructuralView): Explanation {
  return {
    design: view.design,
    blocks: view.blocks.map(({ name, kind, purpose, nodes, config }) => ({
      name,
      kind,
      purpose,
      nodes: nodesText(nodes),
      config: inEffect(config),
    })),
    paths: view.calls.map((call) => ({
      from: call.from,
      to: call.to,
      as: call.as,
      stages: stagesOf(call),
      waitMaxUs: call.placedWithinUs ?? call.deadlineUs ?? waitWithoutDeadline(call),
      amplification: amplificationOf(call),
    })),
    chains: chainsOf(view).filter(({ attemptsMax }) => attemptsMax > 1),
  };
}

/** Without what Loadpath notes for itself, and what a service with a handler has no use for. */
function inEffect(config: Config): Config {
  const hidden = config.steps === null ? ['isPortGiven', 'slots', 'holds'] : ['isPortGiven'];
  return Object.fromEntries(Object.entries(config).filter(([name]) => !hidden.includes(name)));
}

function stagesOf(call: CallView): string[] {
  const others = call.stages ?? [];
  const { deadline, retry: retries } = call.before ?? {
    deadline: others.length,
    retry: others.length,
  };
  const stages = others.slice(0, deadline);
  if (call.deadlineUs !== undefined) {
    stages.push(`deadline: ${formatDuration(call.deadlineUs)} in all, passed on to what it calls`);
  }
  stages.push(...others.slice(deadline, retries));
  const { retry } = call;
  if (retry && retry.attempts > 1) {
    const budget =
      retry.budgetRatio === undefined
        ? 'without a budget'
        : `retries at most ${Number((retry.budgetRatio * 100).toPrecision(3))}% of calls`;
    stages.push(
      `retry: up to ${retry.attempts} attempts, ${methodsText(retry.methods)}, ${budget}`,
    );
  }
  stages.push(...others.slice(retries));
  if (call.timeoutUs !== undefined) {
    stages.push(`attempt timeout: ${formatDuration(call.timeoutUs)}`);
  }
  if (stages.length === 0) stages.push('no policy: one attempt, waiting for ever');
  return stages;
}

function methodsText(methods: readonly string[] | undefined): string {
  if (methods === undefined) return 'every method';
  const allSafe = methods.every((method) => idempotentMethods.includes(method));
  return allSafe ? 'only where repeating is safe' : methods.join(', ');
}

function waitWithoutDeadline(call: CallView): Micros | undefined {
  return call.timeoutUs === undefined ? undefined : call.timeoutUs * (call.retry?.attempts ?? 1);
}

function nodesText(nodes: StructuralView['blocks'][number]['nodes']): string {
  if (nodes.length === 0) return 'no node of its own';
  const zones = [...new Set(nodes.map((node) => node.zone))].sort();
  const count = nodes.length === 1 ? '1 node' : `${nodes.length} nodes`;
  return `${count} in ${zones.length === 1 ? 'zone' : 'zones'} ${zones.join(', ')}`;
}
