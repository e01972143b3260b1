/**
 * Addresses that several nodes share, as a switch and the kernel behind it see them: the supervisor
 * listens, and hands every connection, whole, to one of the nodes. No byte passes through here.
 *
 *   user ──▶ port ── accept ──▶ whose is it? ── the socket itself ──▶ process of lb/1
 *
 * Whose it is: of the node that claimed the address last, or, where all listen at once
 * (`parts/listeners.ts`), of whoever takes it: a process with something in its line is woken, says so when
 * its loop comes round to it, and is handed one.
 *
 * Nobody at home: the connection is broken off, as by a machine without a program on that port.
 *
 * Where Node can share a port (`SO_REUSEPORT`), sharded lines are the kernel's own: each process
 * listens there by itself, and all that is left to do here is to find a port.
 */
import { createServer, type Server, type Socket } from 'node:net';
import type { NodeId } from '../host/host.ts';
import type { AddressPlan } from '../host/plan.ts';
import { webPort } from '../host/web.ts';
import { Listeners } from '../parts/listeners.ts';
import { kernelShards, listenAt } from './listening.ts';
import type { Peer } from './transport.ts';

export interface AddressesOptions {
  /** Gives a connection to a node; false when nobody is there. */
  readonly hand: (node: NodeId, socket: Socket) => boolean;
  /** Something waits for it: to be followed by `turn`. */
  readonly wake: (node: NodeId) => void;
  /** Default: what this Node and this system can do. */
  readonly kernelShards?: boolean;
}

interface Shared {
  readonly plan: AddressPlan;
  readonly server: Server;
  readonly listeners: Listeners<Socket> | undefined;
  holder: NodeId;
  port: number;
}

export class Addresses {
  readonly #shared: readonly Shared[];
  readonly #hand: AddressesOptions['hand'];
  readonly #kernelShards: boolean;

  constructor(plans: readonly AddressPlan[], options: AddressesOptions) {
    this.#hand = options.hand;
    this.#kernelShards = options.kernelShards ?? kernelShards();
    this.#shared = plans.map((plan) => {
      const { lines } = plan;
      const listeners =
        lines &&
        new Listeners<Socket>({
          lines,
          wake: options.wake,
          drop: (socket) => socket.resetAndDestroy(),
        });
      const shared: Shared = {
        plan,
        listeners,
        holder: plan.members[0]!,
        port: 0,
        // What comes first is for whoever gets the socket.
        server: createServer({ pauseOnConnect: true, allowHalfOpen: true }, (socket) => {
          socket.on('error', () => {});
          if (listeners) listeners.came(`${socket.remoteAddress}:${socket.remotePort}`, socket);
          else if (!options.hand(shared.holder, socket)) socket.resetAndDestroy();
        }),
      };
      return shared;
    });
  }

  /** Rejects with `LoadpathError('port-taken')`. */
  async listen(portOf: (plan: AddressPlan) => number): Promise<void> {
    for (const shared of this.#shared) {
      const port = portOf(shared.plan);
      shared.port = await listenAt(shared.server, { port });
      if (this.#isKernels(shared)) await new Promise((closed) => shared.server.close(closed));
    }
  }

  /** Where a node listens itself, together with others; undefined: what it does is its own affair. */
  portOf(node: NodeId): number | undefined {
    return this.#of(node).find((shared) => this.#isKernels(shared))?.port;
  }

  isMember(node: NodeId): boolean {
    return this.#of(node).length > 0;
  }

  /** What users of sharded lines are to know: whose lines they are. */
  notes(): readonly { readonly node: NodeId; readonly text: string }[] {
    return this.#shared.flatMap((shared) => {
      if (shared.plan.lines?.how !== 'sharded') return [];
      const text = this.#isKernels(shared)
        ? 'the kernel deals its connections out (SO_REUSEPORT)'
        : `the supervisor deals its connections out: Node ${process.versions.node} here cannot share a port`;
      return [{ node: shared.plan.node, text }];
    });
  }

  /** Its loop came round. */
  turn(node: NodeId): void {
    for (const { listeners } of this.#of(node)) {
      listeners?.turn(node, (socket) => {
        if (!this.#hand(node, socket)) socket.resetAndDestroy();
      });
    }
  }

  joined(node: NodeId): void {
    for (const { listeners } of this.#of(node)) listeners?.joined(node);
  }

  left(node: NodeId): void {
    for (const { listeners } of this.#of(node)) listeners?.left(node);
  }

  hold(address: NodeId, node: NodeId): void {
    const shared = this.#shared.find(({ plan }) => plan.node === address);
    if (shared?.plan.members.includes(node)) shared.holder = node;
  }

  /** As if each were a node: with what is known of those that share it. */
  peers(of: (node: NodeId) => Peer | undefined): Readonly<Record<NodeId, Peer>> {
    return Object.fromEntries(
      this.#shared.map(({ plan, port }) => {
        const member = plan.members.map(of).find((peer) => peer !== undefined);
        const { secure, passing } = member ?? {};
        return [plan.node, { life: 0, port: 0, edges: { [webPort]: port }, secure, passing }];
      }),
    );
  }

  get ports(): readonly { readonly plan: AddressPlan; readonly port: number }[] {
    return this.#shared;
  }

  close(): void {
    for (const { server } of this.#shared) server.close();
  }

  #of(node: NodeId): readonly Shared[] {
    return this.#shared.filter(({ plan }) => plan.members.includes(node));
  }

  #isKernels({ plan }: Shared): boolean {
    return this.#kernelShards && plan.lines?.how === 'sharded';
  }
}
