/**
 * Addresses that several nodes share, one at a time, as a switch sees them: the supervisor listens, and
 * hands every connection, whole, to the node that claimed the address last. No byte passes through here.
 *
 *   user ──▶ port ── accept ──▶ who has it? ── the socket itself ──▶ process of lb/1
 *
 * Nobody at home: the connection is broken off, as by a machine without a program on that port.
 */
import { createServer, type Server, type Socket } from 'node:net';
import type { NodeId } from '../host/host.ts';
import type { AddressPlan } from '../host/plan.ts';
import { webPort } from '../host/web.ts';
import { portTaken } from './edge.ts';
import { errorCode } from './files.ts';
import type { Peer } from './transport.ts';

/** Gives a connection to a node; false when nobody is there. */
export type Hand = (node: NodeId, socket: Socket) => boolean;

interface Shared {
  readonly plan: AddressPlan;
  readonly server: Server;
  holder: NodeId;
  port: number;
}

export class Addresses {
  readonly #shared: readonly Shared[];

  constructor(plans: readonly AddressPlan[], hand: Hand) {
    this.#shared = plans.map((plan) => {
      const shared: Shared = {
        plan,
        holder: plan.members[0]!,
        port: 0,
        // What comes first is for whoever gets the socket.
        server: createServer({ pauseOnConnect: true, allowHalfOpen: true }, (socket) => {
          socket.on('error', () => {});
          if (!hand(shared.holder, socket)) socket.resetAndDestroy();
        }),
      };
      return shared;
    });
  }

  /** Rejects with `LoadpathError('port-taken')`. */
  async listen(portOf: (plan: AddressPlan) => number): Promise<void> {
    for (const shared of this.#shared) {
      const port = portOf(shared.plan);
      await new Promise<void>((resolve, reject) => {
        shared.server.once('error', (error) => {
          const code = errorCode(error);
          const isTaken = code === 'EADDRINUSE' || code === 'EACCES';
          reject(isTaken ? portTaken(port, code === 'EACCES') : error);
        });
        shared.server.listen({ host: '127.0.0.1', port, backlog: 1_024 }, resolve);
      });
      const address = shared.server.address();
      if (address !== null && typeof address !== 'string') shared.port = address.port;
    }
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
}
