/** Questions about names and their answers: between clients, resolvers and servers alike. */
import type { NameAnswer, NameCode, NameQuery } from '../../../host/naming.ts';

export type DnsQuery = NameQuery;
export type DnsCode = NameCode;
export type DnsAnswer = NameAnswer;

export type DnsMessage = DnsQuery | DnsAnswer;

export const dnsPort = 'dns';

export function describeDns(message: DnsMessage): string {
  if (message.type === 'query') return `query ${message.name}`;
  const { code, nodes, aliases, text, ttlUs } = message;
  const way = aliases.map((alias) => `${alias} `).join('');
  const found = code === 'ok' ? (text ?? nodes.join(' ')) : code;
  return `answer ${way}${found} ttl=${Math.round(ttlUs / 1_000_000)}s`;
}
