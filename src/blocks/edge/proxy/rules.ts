/**
 * What a proxy lets through: rules in their order, the first that decides holds. Some decide by who
 * asks for what, others by what comes back, so the list is gone through twice:
 *
 *   request ─▶ block: 403        allow, or not known yet ─▶ site ─▶ reply ─▶ block: 403, or it passes
 */
import { type Network, readAddress, readNetwork } from '../../../parts/networks.ts';
import type { ProxyConfig, RuleConfig } from './config.ts';

export interface Subject {
  /** As `plainHost` has it. */
  readonly host: string;
  /** Normal: `/%73ecret` is `/secret` (RFC 3986, 6.2.2.2). */
  readonly path: string;
  readonly ip: string;
  /** Undefined: nobody that is known. */
  readonly user: string | undefined;
}

/** What is known of a reply; `bytes` undefined: it does not say. */
export interface ReplyFacts {
  readonly type: string;
  readonly bytes: number | undefined;
}

interface Rule extends RuleConfig {
  readonly covers: (ip: string) => boolean;
  readonly isOfReply: boolean;
}

export class Rules {
  readonly #rules: readonly Rule[];
  readonly #otherwise: ProxyConfig['otherwise'];

  constructor({ rules, otherwise }: Pick<ProxyConfig, 'rules' | 'otherwise'>) {
    this.#otherwise = otherwise;
    this.#rules = rules.map((rule) => ({
      ...rule,
      covers: coverOf(rule.from),
      isOfReply: rule.types.length > 0 || rule.overBytes !== null,
    }));
  }

  /** Before anything is asked: only what is certain to be blocked is. */
  isBlocked(subject: Subject): boolean {
    for (const rule of this.#rules) {
      if (!holds(rule, subject)) continue;
      if (!rule.isOfReply) return rule.do === 'block';
      // Perhaps it lets the reply pass.
      if (rule.do === 'allow') return false;
    }
    return this.#otherwise === 'block';
  }

  isReplyBlocked(subject: Subject, reply: ReplyFacts): boolean {
    for (const rule of this.#rules) {
      if (holds(rule, subject) && holdsOf(rule, reply)) return rule.do === 'block';
    }
    return this.#otherwise === 'block';
  }

  /** How much of a body may flow before a rule blocks it; undefined: any amount. */
  bytesMax(subject: Subject, type: string): number | undefined {
    const sizes = this.#rules
      .filter(({ do: verdict, overBytes }) => verdict === 'block' && overBytes !== null)
      .map(({ overBytes }) => overBytes!)
      .sort((a, b) => a - b);
    return sizes.find((bytes) => this.isReplyBlocked(subject, { type, bytes: bytes + 1 }));
  }
}

function holds(rule: Rule, { host, path, ip, user }: Subject): boolean {
  const { hosts, paths, users, from } = rule;
  return (
    (hosts.length === 0 || hosts.some((one) => isOfHost(one, host))) &&
    (paths.length === 0 || paths.some((one) => isOfPath(one, path))) &&
    (users.length === 0 || (user !== undefined && users.includes(user))) &&
    (from.length === 0 || rule.covers(ip))
  );
}

function holdsOf({ types, overBytes }: Rule, { type, bytes }: ReplyFacts): boolean {
  if (types.length > 0 && !types.some((one) => isOfType(one, type))) return false;
  return overBytes === null || (bytes !== undefined && bytes > overBytes);
}

/** As rules compare it: the dots at the end of a name say no more than that it is whole. */
export function plainHost(host: string): string {
  return host.replace(/\.+$/, '');
}

/** `*.example` is whatever is below it, `*` anything. */
export function isOfHost(pattern: string, host: string): boolean {
  if (pattern === '*' || pattern === host) return true;
  return pattern.startsWith('*.') && host.endsWith(pattern.slice(1));
}

function isOfPath(pattern: string, path: string): boolean {
  if (!pattern.endsWith('/*')) return pattern === path;
  const above = pattern.slice(0, -2);
  return path === above || path.startsWith(`${above}/`);
}

function isOfType(pattern: string, type: string): boolean {
  return pattern.endsWith('/*') ? type.startsWith(pattern.slice(0, -1)) : pattern === type;
}

function coverOf(networks: readonly string[]): (ip: string) => boolean {
  const isIn = within(networks);
  return (ip) => {
    const address = readAddress(ip);
    return address !== undefined && isIn(address);
  };
}

type Ip = Pick<Network, 'bits' | 'width'>;

function within(networks: readonly string[]): (address: Ip) => boolean {
  const read = networks.map((one) => readNetwork(one)!);
  return (address) =>
    read.some(({ bits, width, length }) => {
      const rest = BigInt(width - length);
      return width === address.width && bits >> rest === address.bits >> rest;
    });
}

/** RFC 1918, 3879, 3927, 4193, 4291, 6598, 6890 and 8215: what no stranger should be led to. */
const isOfPrivateNetwork = within([
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '224.0.0.0/3',
  '::/127',
  '64:ff9b:1::/48',
  'fc00::/7',
  'fe80::/10',
  'fec0::/10',
  'ff00::/8',
]);

/**
 * Where an IPv4 address stands in one of IPv6: mapped (RFC 4291), in the compatible form before that, translated
 * (RFC 2765, 6052), and in 6to4 (RFC 3056). `after` bits follow it.
 */
const clothes = [
  { network: '::/96', after: 0n },
  { network: '::ffff:0:0/96', after: 0n },
  { network: '::ffff:0:0:0/96', after: 0n },
  { network: '64:ff9b::/96', after: 0n },
  { network: '2002::/16', after: 80n },
].map(({ network, after }) => ({ isIn: within([network]), after }));

/** A host as a URL has it, where odd spellings of an address have become the usual one. */
export function isPrivate(host: string): boolean {
  const plain = plainHost(host.replace(/^\[|\]$/g, ''));
  if (plain === 'localhost' || plain.endsWith('.localhost')) return true;
  const address = readAddress(plain);
  if (!address) return false;
  if (isOfPrivateNetwork(address)) return true;
  return clothes.some(({ isIn, after }) => {
    if (!isIn(address)) return false;
    return isOfPrivateNetwork({ bits: (address.bits >> after) & 0xffff_ffffn, width: 32 });
  });
}
