/**
 * Reads a design without running it, for what experience says will hurt. Rules look at structure
 * and policy only; whether it hurts under a load is for the simulator to say.
 */
import type { Micros } from '../host/host.ts';
import { formatDuration } from '../kit/units.ts';
import { clashesOf } from '../parts/ports.ts';
import { amplificationOf, type Chain, chainsOf } from './chains.ts';
import {
  type BlockView,
  type CallView,
  idempotentMethods,
  type StructuralView,
} from './structure.ts';

export interface LintFinding {
  readonly rule: string;
  /** error: cannot be right. warning: will hurt when something fails. notice: worth a thought. */
  readonly severity: 'error' | 'warning' | 'notice';
  readonly block: string;
  readonly option: string;
  readonly what: string;
  readonly why: string;
  readonly todo: string;
}

/** Attempts that one request may cause at the end of a path, beyond which an overload feeds itself. */
const amplificationMax = 3;
/** Of one request by itself, whatever budgets do over time. */
const attemptsMaxMax = 9;

const rules: readonly ((view: StructuralView) => readonly LintFinding[])[] = [
  portsTakenTwice,
  singleNodes,
  sharesWithoutCopies,
  singleZones,
  zonesThatTakeTheQuorum,
  missingTimeouts,
  timeoutsLongerThanTheCallers,
  attemptsThatDoNotFit,
  unsafeRetries,
  retryAmplification,
  quorumsThatDoNotOverlap,
  unboundedQueues,
];

const order = { error: 0, warning: 1, notice: 2 } as const;

/** Worst first; findings of one severity in the order of the rules. */
export function lint(view: StructuralView): LintFinding[] {
  return rules.flatMap((rule) => rule(view)).sort((a, b) => order[a.severity] - order[b.severity]);
}

function ours(view: StructuralView): readonly BlockView[] {
  return view.blocks.filter((block) => !block.outside && block.nodes.length > 0);
}

function portsTakenTwice(view: StructuralView): LintFinding[] {
  const clashes = clashesOf(view.blocks.flatMap(({ ports = [] }) => ports));
  return clashes.map(({ node, text }) => ({
    rule: 'port-taken-twice',
    severity: 'error',
    block: node.slice(0, node.lastIndexOf('/')),
    option: 'port',
    what: text,
    why: 'live, one of them cannot start; nodes of a block count up from its port',
    todo: 'another port, farther away than the other block has nodes; or none, and the next free one is taken',
  }));
}

function singleNodes(view: StructuralView): LintFinding[] {
  return ours(view)
    .filter(({ nodes, beside }) => nodes.length === 1 && beside !== 'operator')
    .map((block) => singleNode(view, block));
}

function singleNode(view: StructuralView, block: BlockView): LintFinding {
  const { name, beside, kept } = block;
  const found = { rule: 'single-node', block: name, what: `has one node, ${block.nodes[0]!.id}` };
  if (beside === 'directory') {
    return {
      ...found,
      severity: 'notice',
      option: 'nodes',
      why: 'while it is down callers go on with the lists that they have; a node that starts then knows nobody',
      todo: 'two nodes: instances register with both',
    };
  }
  if (block.lossOfNode === 'nothing') {
    return {
      ...found,
      severity: 'notice',
      option: 'nodes',
      why: `while it restarts its callers do without, and all that it held is fetched anew`,
      todo: 'two nodes: then half of it stays',
    };
  }
  if (block.lossOfNode === 'share') {
    return {
      ...found,
      severity: 'warning',
      option: 'nodes',
      why: `while it restarts, nobody has ${name}${usersOf(view, block)}`,
      todo: 'with two nodes half of it stays; nothing here has a copy, so call it where a failure can be borne',
    };
  }
  if (kept) {
    return {
      ...found,
      severity: kept.min > 1 ? 'notice' : 'warning',
      option: 'instances',
      why: `until ${kept.by} has noticed and another has started (${formatDuration(kept.startUs)} and more), nobody has ${name}${usersOf(view, block)}`,
      todo: `two instances, and min: 2 in ${kept.by}`,
    };
  }
  return {
    ...found,
    severity: 'warning',
    option: block.quorum ? 'replicas' : 'nodes',
    why: `while it restarts, nobody has ${name}${usersOf(view, block)}`,
    todo: block.quorum ? 'three replicas survive one' : 'two nodes survive one',
  };
}

/** More nodes make less of it fail at a time, and that more often. */
function sharesWithoutCopies(view: StructuralView): LintFinding[] {
  return ours(view)
    .filter(({ nodes, lossOfNode }) => lossOfNode === 'share' && nodes.length > 1)
    .map((block) => ({
      rule: 'no-copies',
      severity: 'notice',
      block: block.name,
      option: 'nodes',
      what: `keeps on each of its ${block.nodes.length} nodes what no other has`,
      why: `while one restarts, nobody has its share of ${block.name}${usersOf(view, block)}`,
      todo: 'call it where a failure can be borne or made up for later; more nodes make the share smaller only',
    }));
}

function usersOf(view: StructuralView, block: BlockView): string {
  const callers = [
    ...new Set(view.calls.filter((it) => it.to === block.name).map((it) => it.from)),
  ];
  return callers.length === 0 ? '' : ` (${callers.join(', ')} would wait for it)`;
}

function singleZones(view: StructuralView): LintFinding[] {
  if (view.zones.length < 2) {
    return [
      {
        rule: 'single-zone',
        severity: 'notice',
        block: view.design,
        option: 'zones',
        what: `stands in one zone, ${view.zones[0]?.name ?? 'without a name'}`,
        why: 'a zone fails as a whole: power, network, a bad change',
        todo: 'declare three zones; nodes spread over them by themselves',
      },
    ];
  }
  return ours(view)
    .filter((block) => block.nodes.length > 1 && zonesOf(block).size === 1)
    .map((block) => ({
      rule: 'single-zone',
      severity: 'warning',
      block: block.name,
      option: 'zones',
      what: `has all ${block.nodes.length} nodes in zone ${block.nodes[0]!.zone}`,
      why: 'the loss of that zone is the loss of the block',
      todo: 'spread its nodes over the zones of the design',
    }));
}

function zonesOf(block: BlockView): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { zone } of block.nodes) counts.set(zone, (counts.get(zone) ?? 0) + 1);
  return counts;
}

function zonesThatTakeTheQuorum(view: StructuralView): LintFinding[] {
  return ours(view).flatMap((block) => {
    const { quorum } = block;
    const zones = zonesOf(block);
    if (!quorum || zones.size < 2 || quorum.copies > block.nodes.length) return [];
    // Copies are spread over zones first, so a zone holds its even share, rounded up.
    const [zone, nodeCount] = [...zones].sort((a, b) => b[1] - a[1])[0]!;
    const taken = Math.min(nodeCount, Math.ceil(quorum.copies / zones.size));
    const needed = Math.max(quorum.read, quorum.write);
    if (quorum.copies - taken >= needed) return [];
    return [
      {
        rule: 'zone-quorum',
        severity: 'warning',
        block: block.name,
        option: 'replicas',
        what: `may have ${taken} of ${quorum.copies} copies in zone ${zone}, and needs ${needed} to answer`,
        why: 'losing that one zone stops reads or writes, although another is up',
        todo: `${quorum.copies} copies want ${Math.ceil(quorum.copies / (quorum.copies - needed || 1))} zones`,
      },
    ];
  });
}

function missingTimeouts(view: StructuralView): LintFinding[] {
  return view.calls
    .filter(
      (call) =>
        call.timeoutUs === undefined &&
        call.deadlineUs === undefined &&
        // Those who send requests over it have timeouts of their own.
        call.placedWithinUs === undefined,
    )
    .map((call) => ({
      rule: 'no-timeout',
      severity: 'error',
      block: call.from,
      option: `${call.as}.timeout`,
      what: `calls ${call.to} without a timeout`,
      why: `when ${call.to} hangs, every request that needs it hangs, and holds what it holds`,
      todo: 'set a timeout a little above the p99 that the callee promises',
    }));
}

function waitOf(call: CallView): Micros | undefined {
  if (call.deadlineUs !== undefined) return call.deadlineUs;
  return call.timeoutUs === undefined ? undefined : call.timeoutUs * (call.retry?.attempts ?? 1);
}

function timeoutsLongerThanTheCallers(view: StructuralView): LintFinding[] {
  return view.calls.flatMap((outer) => {
    const outerUs = waitOf(outer);
    if (outerUs === undefined) return [];
    return view.calls
      .filter((inner) => inner.from === outer.to && (waitOf(inner) ?? 0) > outerUs)
      .map(
        (inner): LintFinding => ({
          rule: 'timeout-order',
          severity: 'notice',
          block: inner.from,
          option: `${inner.as}.timeout`,
          what: `waits ${formatDuration(waitOf(inner)!)} for ${inner.to}, but ${outer.from} waits ${formatDuration(outerUs)} for ${inner.from}`,
          why: 'the caller has left before: the error it sees is its own timeout, and not what went wrong',
          todo: `below ${formatDuration(outerUs)}, so that ${inner.from} can answer, or fall back, in time`,
        }),
      );
  });
}

function attemptsThatDoNotFit(view: StructuralView): LintFinding[] {
  return view.calls.flatMap((call) => {
    const { deadlineUs, timeoutUs, retry } = call;
    if (deadlineUs === undefined || timeoutUs === undefined || !retry || retry.attempts < 2)
      return [];
    const fitting = Math.floor(deadlineUs / timeoutUs);
    if (fitting >= retry.attempts) return [];
    return [
      {
        rule: 'attempts-do-not-fit',
        severity: 'notice',
        block: call.from,
        option: `${call.as}.attemptTimeout`,
        what: `${retry.attempts} attempts of ${formatDuration(timeoutUs)} do not fit into ${formatDuration(deadlineUs)}`,
        why: `after a timeout only ${fitting} can be made in full`,
        todo: `an attempt of ${formatDuration(Math.floor(deadlineUs / retry.attempts))}, or a longer timeout`,
      },
    ];
  });
}

function unsafeRetries(view: StructuralView): LintFinding[] {
  return view.calls.flatMap((call) => {
    if (!call.retry || call.retry.attempts < 2) return [];
    const { methods } = call.retry;
    const unsafe = methods?.filter((method) => !idempotentMethods.includes(method.toUpperCase()));
    if (unsafe && unsafe.length === 0) return [];
    return [
      {
        rule: 'unsafe-retry',
        severity: 'warning',
        block: call.from,
        option: `${call.as}.retry`,
        what: `tries ${unsafe ? unsafe.join(' and ') : 'every method'} again on ${call.to}`,
        why: 'after a timeout the first attempt may have happened: then it happens twice',
        todo: 'retry idempotent methods only, or give such requests an idempotency key',
      },
    ];
  });
}

function retryAmplification(view: StructuralView): LintFinding[] {
  const worst = new Map<string, Chain>();
  for (const chain of chainsOf(view)) {
    const end = chain.calls.at(-1)!.to;
    const known = worst.get(end);
    const isWorse =
      !known ||
      chain.sustained > known.sustained ||
      (chain.sustained === known.sustained && chain.attemptsMax > known.attemptsMax);
    if (isWorse) worst.set(end, chain);
  }
  return [...worst].flatMap(([name, chain]): LintFinding[] => {
    const { sustained, attemptsMax } = chain;
    const found = { rule: 'retry-amplification', block: name, option: 'retry' } as const;
    if (sustained > amplificationMax) {
      return [
        {
          ...found,
          severity: 'warning',
          what: `may get ${round(sustained)} attempts for one request: ${chainText(chain, amplificationOf)} → ${name}`,
          why: 'when it is slow, retries on every floor multiply, and keep it slow',
          todo: 'retry on one floor only, or give each a retry budget',
        },
      ];
    }
    if (attemptsMax <= attemptsMaxMax) return [];
    return [
      {
        ...found,
        severity: 'notice',
        what: `a single request may cause ${attemptsMax} attempts at ${name}: ${chainText(chain, ({ retry }) => retry?.attempts ?? 1)} → ${name}`,
        why: `budgets hold it to ${round(sustained)} on average, but not in the first moments of a failure`,
        todo: 'retry on one floor only: the one that knows best whether repeating is worth it',
      },
    ];
  });
}

function chainText({ calls }: Chain, factorOf: (call: CallView) => number): string {
  return calls.map((call) => `${call.from} ×${round(factorOf(call))}`).join(' → ');
}

function round(factor: number): number {
  return Number(factor.toPrecision(3));
}

function quorumsThatDoNotOverlap(view: StructuralView): LintFinding[] {
  return ours(view).flatMap((block): LintFinding[] => {
    const { quorum } = block;
    if (!quorum) return [];
    const { copies, read, write } = quorum;
    if (read > copies || write > copies) {
      return [
        {
          rule: 'quorum-too-large',
          severity: 'error',
          block: block.name,
          option: 'quorum',
          what: `wants ${Math.max(read, write)} answers of ${copies} copies`,
          why: 'that can never be',
          todo: `at most ${copies}`,
        },
      ];
    }
    if (read + write > copies) return [];
    return [
      {
        rule: 'quorum-overlap',
        severity: 'warning',
        block: block.name,
        option: 'quorum',
        what: `reads ${read} and writes ${write} of ${copies} copies: R + W ≤ N`,
        why: 'a read may ask only replicas that an acknowledged write has not reached yet',
        todo: `read ${copies - write + 1}, or write ${copies - read + 1}; or say that stale reads are fine`,
      },
    ];
  });
}

function unboundedQueues(view: StructuralView): LintFinding[] {
  return ours(view).flatMap((block) =>
    Object.entries(block.queues ?? {})
      .filter(([, bound]) => bound === null)
      .map(([name]) => ({
        rule: 'unbounded-queue',
        severity: 'warning' as const,
        block: block.name,
        option: name,
        what: `its queue ${name} has no bound`,
        why: 'in an overload everything in it is answered too late, and memory ends first',
        todo: 'bound it at what can be worked off within the timeout',
      })),
  );
}
