/** Questions about names and their answers: between clients, resolvers and servers alike. */
import type { Micros, NodeId } from '../../../host/host.ts';

export type DnsQuery = {
  readonly type: 'query';
  readonly id: number;
  readonly name: string;
  /** Where it is asked from; null: the server takes its own. Resolvers say theirs, as their addresses would. */
  readonly region: string | null;
};

export type DnsCode = 'ok' | 'no-name' | 'failed';

export type DnsAnswer = {
  readonly type: 'answer';
  readonly id: number;
  readonly code: DnsCode;
  readonly nodes: readonly NodeId[];
  /** The names on the way to what was found. */
  readonly aliases: readonly string[];
  readonly text: string | null;
  readonly ttlUs: Micros;
};

export type DnsMessage = DnsQuery | DnsAnswer;

export const dnsPort = 'dns';

export function describeDns(message: DnsMessage): string {
  if (message.type === 'query') return `query ${message.name}`;
  const { code, nodes, aliases, text, ttlUs } = message;
  const way = aliases.map((alias) => `${alias} `).join('');
  const found = code === 'ok' ? (text ?? nodes.join(' ')) : code;
  return `answer ${way}${found} ttl=${Math.round(ttlUs / 1_000_000)}s`;
}
