/**
 * How nodes and paths fare while a run goes on, from its events and faults. A frame shows the
 * gravest that held at any time within it, so that no fault is too short to be seen.
 */
import type { RunEvent } from '../host/events.ts';
import type { Fault, Target } from '../host/fault.ts';
import type { Micros, NodeId } from '../host/host.ts';
import type { Plan } from '../host/plan.ts';
import { machines, targets } from '../live/rules.ts';
import type { FrameLayout, NodeState, PathState } from './frames.ts';

/** From the most harmless to the gravest. */
const nodeStates: readonly NodeState[] = ['u', 's', 'f', 'p', 'd', 'n', 'x'];
const pathStates: readonly PathState[] = ['o', 'd', 'l', 'c'];

type Change =
  | { readonly at: Micros; readonly what: 'boot' | 'crash' | 'gone'; readonly node: NodeId }
  | { readonly at: Micros; readonly what: 'began' | 'ended'; readonly fault: Fault };

/** A fault in force: whom it concerns, worked out once. */
type Active =
  | { readonly does: 'pause' | 'slow' | 'disk'; readonly nodes: Set<NodeId> }
  | {
      readonly does: 'cut' | 'lose' | 'delay';
      readonly from: ReadonlySet<NodeId>;
      readonly to: ReadonlySet<NodeId>;
      readonly oneWay: boolean;
    };

export class Conditions {
  #plan: Plan;
  #layout: FrameLayout;
  #membersOf: ReadonlyMap<string, readonly NodeId[]>;
  readonly #gone = new Set<NodeId>();
  readonly #booted = new Set<NodeId>();
  readonly #up = new Set<NodeId>();
  readonly #active = new Map<Fault, Active>();
  #toCome: Change[] = [];
  #nodes = '';
  #paths = '';

  constructor(plan: Plan, layout: FrameLayout) {
    this.#plan = plan;
    this.#layout = layout;
    this.#membersOf = membersOf(plan, layout);
    // What is somebody else's is not booted by us, and taken to be there.
    for (const { id, outside } of plan.nodes) if (outside !== undefined) this.#boot(id);
    this.#nodes = this.#nodesNow();
    this.#paths = this.#pathsNow();
  }

  hear(event: RunEvent): void {
    if (event.type !== 'boot' && event.type !== 'crash') return;
    const { type, at, node } = event;
    this.#toCome.push({ at, what: type === 'crash' && event.gone ? 'gone' : type, node });
  }

  /** Nodes have come: they stand behind those that were there. */
  grow(plan: Plan, layout: FrameLayout): void {
    this.#plan = plan;
    this.#layout = layout;
    this.#membersOf = membersOf(plan, layout);
    this.#nodes = this.#nodesNow();
    this.#paths = this.#pathsNow();
  }

  fault(at: Micros, fault: Fault, began: boolean): void {
    this.#toCome.push({ at, what: began ? 'began' : 'ended', fault });
  }

  /** The past is not shown: how things stand now is how the first frame begins. */
  begin(): void {
    for (const change of this.#toCome) this.#apply(change);
    this.#toCome = [];
    this.#nodes = this.#nodesNow();
    this.#paths = this.#pathsNow();
  }

  /**
   * A letter a node and a letter a path for the time from `from` to `until`. What happens at an edge
   * belongs to what comes after it, and what ended there is not seen any more.
   */
  within(from: Micros, until: Micros): { readonly nodes: string; readonly paths: string } {
    const changes = this.#toCome.filter(({ at }) => at < until).sort((a, b) => a.at - b.at);
    this.#toCome = this.#toCome.filter(({ at }) => at >= until);
    let nodes = '';
    let paths = '';
    const look = (): void => {
      nodes = gravest(nodes, this.#nodes, nodeStates);
      paths = gravest(paths, this.#paths, pathStates);
    };
    if (!changes.some(({ at }) => at <= from)) look();
    for (const [index, change] of changes.entries()) {
      this.#apply(change);
      const next = changes[index + 1]?.at;
      if (next === change.at || (next !== undefined && next <= from)) continue;
      this.#nodes = this.#nodesNow();
      this.#paths = this.#pathsNow();
      look();
    }
    return { nodes, paths };
  }

  #apply(change: Change): void {
    switch (change.what) {
      case 'boot':
        return this.#boot(change.node);
      case 'gone':
        this.#gone.add(change.node);
        this.#up.delete(change.node);
        return;
      case 'crash':
        this.#up.delete(change.node);
        // It comes back running.
        for (const active of this.#active.values()) {
          if (active.does === 'pause') active.nodes.delete(change.node);
        }
        return;
      case 'began': {
        const active = this.#activeOf(change.fault);
        if (active) this.#active.set(change.fault, active);
        return;
      }
      case 'ended':
        this.#active.delete(change.fault);
    }
  }

  #boot(node: NodeId): void {
    this.#booted.add(node);
    this.#up.add(node);
  }

  #activeOf(fault: Fault): Active | undefined {
    const plan = this.#plan;
    const each = (target: Target): Set<NodeId> => new Set(machines(target, plan));
    switch (fault.do) {
      case 'pause':
      case 'slow':
        return { does: fault.do, nodes: each(fault.target) };
      case 'fill-disk':
      case 'fail-disk':
        return { does: 'disk', nodes: each(fault.target) };
      case 'cut':
      case 'lose':
      case 'delay':
        return {
          does: fault.do,
          from: new Set(targets(fault.from, plan)),
          to: new Set(targets(fault.to, plan)),
          oneWay: fault.do === 'cut' && fault.oneWay,
        };
      default:
        // Ends of processes are told as events; the rest leaves nodes and paths as they are.
        return undefined;
    }
  }

  #nodesNow(): string {
    const active = [...this.#active.values()];
    const suffers = (node: NodeId, what: 'pause' | 'slow' | 'disk'): boolean =>
      active.some((one) => one.does === what && one.nodes.has(node));
    const letter = (node: NodeId): NodeState => {
      if (this.#gone.has(node)) return 'x';
      if (!this.#up.has(node)) return this.#booted.has(node) ? 'd' : 'n';
      if (active.length === 0) return 'u';
      if (suffers(node, 'pause')) return 'p';
      if (suffers(node, 'disk')) return 'f';
      return suffers(node, 'slow') ? 's' : 'u';
    };
    return this.#layout.nodes.map(({ id }) => letter(id)).join('');
  }

  #pathsNow(): string {
    const active = [...this.#active.values()].filter((one) => 'from' in one);
    if (active.length === 0) return 'o'.repeat(this.#layout.paths.length);
    return this.#layout.paths
      .map(({ from, to }) => {
        const links = this.#membersOf.get(to)!.map((member) => linkState(active, from, member));
        if (links.length > 0 && links.every((link) => link === 'c')) return 'c';
        if (links.some((link) => link === 'c' || link === 'l')) return 'l';
        return links.includes('d') ? 'd' : 'o';
      })
      .join('');
  }
}

function membersOf(plan: Plan, layout: FrameLayout): ReadonlyMap<string, readonly NodeId[]> {
  return new Map(
    layout.blocks.map((block) => [
      block,
      plan.nodes.filter((node) => node.block === block).map(({ id }) => id),
    ]),
  );
}

/** Between two nodes. Cut in one direction only, something is lost: half of every conversation. */
function linkState(
  active: readonly Extract<Active, { readonly from: unknown }>[],
  a: NodeId,
  b: NodeId,
): PathState {
  let isCutThere = false;
  let isCutBack = false;
  let state: PathState = 'o';
  for (const { does, from, to, oneWay } of active) {
    const there = from.has(a) && to.has(b);
    const back = from.has(b) && to.has(a);
    if (!there && !back) continue;
    if (does === 'cut') {
      isCutThere ||= there || !oneWay;
      isCutBack ||= back || !oneWay;
    } else if (does === 'lose') state = 'l';
    else if (state === 'o') state = 'd';
  }
  if (isCutThere && isCutBack) return 'c';
  return isCutThere || isCutBack ? 'l' : state;
}

function gravest(a: string, b: string, states: readonly string[]): string {
  if (a === b || a === '') return b;
  let worse = '';
  for (let i = 0; i < a.length; i++) {
    worse += states.indexOf(a[i]!) >= states.indexOf(b[i]!) ? a[i] : b[i];
  }
  return worse;
}
