/** What every trace needs of a design: whose program stands at an address, what a message says, who are users. */
import type { LoadOverride } from '../../blocks/workload/users/index.ts';
import { declarationsOf, planOf, type System } from '../../design/system.ts';
import type { Address, Message, NodeId } from '../../host/host.ts';
import type { ProgramPlan } from '../../host/plan.ts';
import { type Describe, describer } from '../describe.ts';

export class Words {
  readonly users: ReadonlySet<NodeId>;
  /** Node ids by block, in the order of the plan. */
  readonly members: ReadonlyMap<string, readonly NodeId[]>;
  readonly #programs = new Map<NodeId, Map<string, ProgramPlan>>();
  readonly #describe: Describe;

  constructor(design: System, load: LoadOverride | undefined) {
    const { nodes } = planOf(design, load);
    const members = new Map<string, NodeId[]>();
    for (const { id, block, programs } of nodes) {
      this.#programs.set(id, new Map(programs.map((program) => [program.port, program])));
      members.set(block, [...(members.get(block) ?? []), id]);
    }
    this.members = members;
    this.users = new Set(nodes.filter(({ kind }) => kind === 'users').map(({ id }) => id));
    this.#describe = describer(declarationsOf(design, load));
  }

  /** The block that the program at an address belongs to: its own, or the one it is the client half of. */
  blockAt({ node, port }: Address): string {
    return this.#programs.get(node)?.get(port)?.block ?? node.split('/')[0]!;
  }

  /** Nobody asks the halves of a block that stand at its callers: with an id they are answered. */
  isReply({ node, port }: Address, message: Message): boolean {
    if (message.type === 'reply') return true;
    const role = this.#programs.get(node)?.get(port)?.role;
    return (role === 'client' || role === 'consumer') && idOf(message) !== undefined;
  }

  /** Addresses of services are told elsewhere, so a request is named by method and path. */
  what(from: Address, to: Address, message: Message): string {
    const line = this.#describe(from, to, message);
    return message.type === 'request' ? line.replace(/^(\S+) https?:\/\/[^/]+/, '$1 ') : line;
  }
}

/** Of a message that has one: what a question and its answer have in common. */
export function idOf(message: Message): number | undefined {
  const { id } = message as { readonly id?: unknown };
  return typeof id === 'number' ? id : undefined;
}

export function isSame(a: Address, b: Address): boolean {
  return a.node === b.node && a.port === b.port;
}

/** `ok`, `status 404`: what users call a reply. */
export function outcomeOf(status: number): string {
  return status < 400 ? 'ok' : `status ${status}`;
}
