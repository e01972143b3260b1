/**
 * Lines of new connections before simulated processes that listen on one address, what the kernel of
 * their machine keeps live: a connection that arrives waits, and each process takes one when it gets
 * round to it, behind the work that it has.
 *
 *   connection ─ arrives ─▶ line ── a core of edge/1 is free ──▶ edge/1 accepts
 */
import { isConnection } from '../../host/connection.ts';
import type { Address, Message, NodeId } from '../../host/host.ts';
import type { AddressPlan } from '../../host/plan.ts';
import { Listeners } from '../../parts/listeners.ts';
import type { Machine } from '../machine.ts';
import type { Held } from '../streams.ts';

interface Waiting {
  readonly accept: (by: Machine) => void;
  readonly held: Held;
}

/** Whose connection it is, as it is dealt. */
export function clientOf({ ip, port }: { readonly ip: string; readonly port: number }): string {
  return `${ip}:${port}`;
}

export class Lines {
  readonly #byMember = new Map<NodeId, Listeners<Waiting>>();
  readonly #byAddress = new Map<
    NodeId,
    { readonly plan: AddressPlan; readonly listeners: Listeners<Waiting> }
  >();
  readonly #machineOf: (node: NodeId) => Machine | undefined;
  /** In a traced run: waiting is part of the request that waits. */
  readonly #queued: (at: Address, run: () => void) => () => void;

  constructor(
    addresses: readonly AddressPlan[],
    machineOf: (node: NodeId) => Machine | undefined,
    queued: (at: Address, run: () => void) => () => void,
  ) {
    this.#machineOf = machineOf;
    this.#queued = queued;
    for (const plan of addresses) {
      const { node, members, lines } = plan;
      if (!lines) continue;
      const listeners = new Listeners<Waiting>({
        lines,
        wake: (member) => this.#wake(listeners, member),
        drop: ({ held }, why) => (why === 'gone' ? held.reset() : held.refuse()),
      });
      this.#byAddress.set(node, { plan, listeners });
      for (const member of members) this.#byMember.set(member, listeners);
    }
  }

  /**
   * Where a connection to `address` arrives; undefined: nobody listens. The one line that all take from
   * is nobody's own, so it does not stand still with one of them.
   */
  dealt(address: NodeId, client: string): NodeId | undefined {
    const known = this.#byAddress.get(address);
    const dealt = known?.listeners.dealt(client);
    if (!known || dealt === undefined || known.plan.lines?.how === 'sharded') return dealt;
    const goesOn = (node: NodeId): boolean => {
      const machine = this.#machineOf(node);
      return machine?.pauseCount === 0 && machine.isUp;
    };
    return goesOn(dealt) ? dealt : (known.plan.members.find(goesOn) ?? dealt);
  }

  /** Whether it waits here: health checks, and all that is no connection, are for the node that they name. */
  hold(to: Address, opening: Message, held: Held): boolean {
    const listeners = this.#byMember.get(to.node);
    if (!listeners || !isConnection(opening) || opening.ip === '') return false;
    let taker: Machine | undefined;
    const accept = this.#queued(to, () => held.accept(taker!));
    listeners.came(clientOf(opening), {
      held,
      accept: (by) => {
        taker = by;
        accept();
      },
    });
    return true;
  }

  joined(machine: Machine): void {
    this.#byMember.get(machine.plan.id)?.joined(machine.plan.id);
  }

  left(machine: Machine): void {
    this.#byMember.get(machine.plan.id)?.left(machine.plan.id);
  }

  /** Behind what it has to do already; whoever has a core free comes at once. */
  #wake(listeners: Listeners<Waiting>, member: NodeId): void {
    const machine = this.#machineOf(member)!;
    machine.cores.run(0, () => listeners.turn(member, ({ accept }) => accept(machine)));
  }
}
