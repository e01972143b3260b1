/**
 * Who belongs to each block while nodes come and go: the plan, and what became of it. Ids go on
 * counting, so that no node ever bears the name of one that was there before; a new one stands where
 * its block has fewest.
 *
 *   planned api/0 a, api/1 b ── start ──▶ api/2 c ── stop api/1 ──▶ api/0, api/2 ── start ──▶ api/3 b
 */
import type { Operation, Present, ToProgram } from '../host/control.ts';
import type { Address, Micros, NodeId } from '../host/host.ts';
import type { Grow, NodePlan, Plan } from '../host/plan.ts';

type MembersMessage = Extract<ToProgram, { readonly type: 'members' }>;

export class Roster {
  readonly #grow: Grow | undefined;
  readonly #present = new Map<NodeId, NodePlan>();
  readonly #startedAt = new Map<NodeId, Micros>();
  readonly #goneAt = new Map<NodeId, Micros>();
  /** By block, the index of the next. */
  readonly #next = new Map<string, number>();
  readonly #followers = new Map<string, { readonly address: Address; readonly block: string }>();
  #plan: Plan;

  constructor(plan: Plan, grow: Grow | undefined) {
    this.#plan = plan;
    this.#grow = grow;
    for (const node of plan.nodes) this.#enter(node);
  }

  /** Every node that ever was, those that are gone among them. */
  get plan(): Plan {
    return this.#plan;
  }

  get(id: NodeId): NodePlan | undefined {
    return this.#present.get(id);
  }

  members(block: string): readonly NodePlan[] {
    return [...this.#present.values()].filter((node) => node.block === block);
  }

  /** A further member of `block`; undefined when it cannot have any. */
  start(block: string, now: Micros): NodePlan | undefined {
    const index = this.#next.get(block);
    if (index === undefined) return undefined;
    const node = this.#grow?.(block, index, this.#zoneFor(block));
    if (node) this.add(node, now);
    return node;
  }

  add(node: NodePlan, now: Micros): void {
    this.#plan = { ...this.#plan, nodes: [...this.#plan.nodes, node] };
    this.#startedAt.set(node.id, now);
    this.#enter(node);
  }

  /** False when it is not there, or not any more. */
  stop(id: NodeId, now: Micros): boolean {
    if (!this.#present.delete(id)) return false;
    this.#goneAt.set(id, now);
    return true;
  }

  /** For how long between the two instants a node was kept, up or not. */
  keptUs(id: NodeId, fromUs: Micros, toUs: Micros): Micros {
    const began = Math.max(fromUs, this.#startedAt.get(id) ?? fromUs);
    return Math.max(0, Math.min(toUs, this.#goneAt.get(id) ?? toUs) - began);
  }

  /** Whether `from` may have done what it asks for; then it is remembered as one who wants to know. */
  allows(from: Address, operation: Operation): boolean {
    const program = this.#present.get(from.node)?.programs.find(({ port }) => port === from.port);
    const block = 'node' in operation ? this.#present.get(operation.node)?.block : operation.block;
    if (block === undefined || !program?.operates?.includes(block)) return false;
    if (operation.type === 'follow-nodes') {
      this.#followers.set(`${from.node} ${from.port} ${block}`, { address: from, block });
    }
    return true;
  }

  /** Whom to tell of a change in `block`, and what. */
  news(block: string): readonly (readonly [to: Address, message: MembersMessage])[] {
    const to = [...this.#followers.values()].filter((follower) => follower.block === block);
    if (to.length === 0) return [];
    const nodes = this.members(block).map(({ id, zone }): Present => ({ id, zone }));
    return to.map(({ address }) => [address, { type: 'members', block, nodes }]);
  }

  #enter(node: NodePlan): void {
    this.#present.set(node.id, node);
    const index = Number(node.id.slice(node.id.lastIndexOf('/') + 1));
    const next = this.#next.get(node.block) ?? 0;
    this.#next.set(node.block, Number.isSafeInteger(index) ? Math.max(next, index + 1) : next);
  }

  /** The first in the plan's order of those with the fewest. */
  #zoneFor(block: string): string {
    const counts = new Map(this.#plan.zones.map(({ name }) => [name, 0]));
    for (const { zone } of this.members(block)) counts.set(zone, (counts.get(zone) ?? 0) + 1);
    let best = '';
    let fewest = Number.POSITIVE_INFINITY;
    for (const [zone, count] of counts) {
      if (count >= fewest) continue;
      fewest = count;
      best = zone;
    }
    return best;
  }
}
