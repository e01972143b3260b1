/**
 * Connections from outside, as streams. Who balances them passes their bytes on and looks at none; who
 * serves requests takes them on a port of its node beside its own, where the world speaks HTTP:
 *
 *   user ══ connection ══▶ balancer:web ══ the same bytes ══▶ edge/1:http:web ── request ──▶ edge/1:web
 *
 * Live the bytes are HTTP and perhaps TLS. In the simulator they are the same requests and replies, in
 * the codec: nobody between the two ends could tell.
 */
import type { Address, Message, NodeId } from './host.ts';
import { webPort } from './web.ts';

/** What opens such a stream. */
export type Connection = {
  readonly type: 'connection';
  /** Whose it is. A health check is nobody's. */
  readonly ip: string;
  readonly port: number;
};

const prefix = 'http:';

/** Where a node takes connections that carry requests for its `port`; its replies leave from there, too. */
export function connectionPort(port: string): string {
  return `${prefix}${port}`;
}

/** The port whose requests come in at this one; undefined when it takes no connections. */
export function servedPort(port: string): string | undefined {
  return port.startsWith(prefix) ? port.slice(prefix.length) : undefined;
}

export function connectionsOf(node: NodeId): Address {
  return { node, port: connectionPort(webPort) };
}

export function isConnection(message: Message): message is Connection {
  return message.type === 'connection';
}
