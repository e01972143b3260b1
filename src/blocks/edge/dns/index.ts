/**
 * `dns('names', { records: { 'www.shop.test': edge } })`: names that lead to gateways, services and CDNs in
 * several regions, by who is near and well.
 */
import type { Declaration } from '../../../host/declaration.ts';
import type { Micros, Value } from '../../../host/host.ts';
import { configure, type OptionsOf, show } from '../../../kit/config.ts';
import type { Problem } from '../../../kit/errors.ts';
import { type DurationText, parseDuration } from '../../../kit/units.ts';
import { dnsBlock } from './block.ts';
import {
  type Answering,
  answering,
  type DnsConfig,
  healthKnobs,
  knobs,
  type RecordConfig,
  spreadKnobs,
} from './config.ts';
import type { DnsHandle } from './handle.ts';

export type { DnsHandle, Resolved } from './handle.ts';

export type DnsRecord =
  /** Its nodes, by latency. */
  | Declaration
  | {
      readonly to: Declaration | readonly Declaration[];
      /** Default `latency`. */
      readonly by?: Answering;
      /** For `weighted`: by region. */
      readonly weights?: Readonly<Record<string, number>>;
      /** For `priority`: the first choice first. */
      readonly regions?: readonly string[];
      readonly ttl?: DurationText;
    }
  /** Another name (CNAME). */
  | { readonly alias: string; readonly ttl?: DurationText }
  | { readonly text: string; readonly ttl?: DurationText };

export interface DnsOptions extends OptionsOf<typeof knobs> {
  /** By name, in lower case: `'www.shop.test'`. */
  readonly records: Readonly<Record<string, DnsRecord>>;
  /** How servers find out who is well. */
  readonly health?: OptionsOf<typeof healthKnobs>;
  /** How users move when a region is lost, weak or back. */
  readonly regions?: OptionsOf<typeof spreadKnobs>;
  /** How far regions are from one another, both ways the same: `{ asia: { europe: '160ms' } }`. Default: all others equally. */
  readonly distances?: Readonly<Record<string, Readonly<Record<string, DurationText>>>>;
}

export interface Dns extends Declaration<DnsHandle> {
  readonly kind: 'dns';
}

const besides = ['records', 'health', 'regions', 'distances'];

export function dns(name: string, options: DnsOptions): Dns {
  const { records, health, regions, distances, ...rest } = options;
  const { config, problems } = configure(name, knobs, rest, besides);
  const checked = configure(`${name}.health`, healthKnobs, health ?? {});
  const spread = configure(`${name}.regions`, spreadKnobs, regions ?? {});
  const wrong: Problem[] = [...problems, ...checked.problems, ...spread.problems];
  const binds: Record<string, Declaration> = {};
  const kept: Record<string, RecordConfig> = {};
  for (const [record, given] of Object.entries(records ?? {})) {
    const at = `${name}.records[${show(record)}]`;
    if (!isName(record)) {
      wrong.push({ at, what: 'must be a name in lower case, such as www.shop.test' });
      continue;
    }
    const found = recordOf(at, given, config.ttlUs, binds, wrong);
    if (found) kept[record] = found;
  }
  for (const [record, found] of Object.entries(kept)) {
    if (found.kind !== 'alias' || found.to in kept) continue;
    wrong.push({
      at: `${name}.records[${show(record)}]`,
      what: `leads to ${found.to}, which has no record`,
    });
  }
  if (Object.keys(records ?? {}).length === 0) {
    wrong.push({ at: `${name}.records`, what: 'must have at least one record' });
  }
  const dnsConfig: DnsConfig = {
    ...config,
    records: kept,
    health: checked.config,
    regions: spread.config,
    distancesUs: distancesOf(name, distances ?? {}, wrong),
  };
  return {
    kind: 'dns',
    name,
    block: dnsBlock,
    config: dnsConfig as unknown as Value,
    problems: wrong,
    binds,
  };
}

/** As hosts are written (RFC 1123, 2.1), at most 253 long. */
function isName(name: string): boolean {
  return (
    name.length <= 253 && /^[a-z0-9_]([a-z0-9-]{0,62})(\.[a-z0-9]([a-z0-9-]{0,62}))*$/.test(name)
  );
}

function recordOf(
  at: string,
  given: DnsRecord | undefined,
  ttlUs: Micros,
  binds: Record<string, Declaration>,
  wrong: Problem[],
): RecordConfig | undefined {
  if (given === undefined) {
    wrong.push({ at, what: 'is undefined: do two files import each other?' });
    return undefined;
  }
  const record: Exclude<DnsRecord, Declaration> = isDeclaration(given) ? { to: given } : given;
  const own = record.ttl === undefined ? ttlUs : parseDuration(record.ttl);
  if (record.ttl !== undefined && (own === undefined || own < 1_000_000)) {
    wrong.push({
      at: `${at}.ttl`,
      what: `must be a duration of at least 1s, got ${show(record.ttl)}`,
    });
  }
  const ttl = { ttlUs: own ?? ttlUs };
  if ('alias' in record) return { kind: 'alias', to: record.alias.toLowerCase(), ...ttl };
  if ('text' in record) return { kind: 'text', text: record.text, ...ttl };
  const { to, by = 'latency', weights = {}, regions = [] } = record;
  if (!answering.includes(by)) {
    wrong.push({ at: `${at}.by`, what: `must be one of ${answering.join(', ')}, got ${show(by)}` });
  }
  const targets: readonly Declaration[] = isDeclaration(to) ? [to] : (to ?? []);
  if (targets.length === 0) wrong.push({ at, what: 'must lead to some block' });
  for (const target of targets) {
    if (target?.block?.servesWeb) binds[target.name] = target;
    else wrong.push({ at, what: `must lead to what serves the web, got ${show(target)}` });
  }
  if (by === 'weighted' && Object.values(weights).every((weight) => !(weight > 0))) {
    wrong.push({ at: `${at}.weights`, what: 'must give some region a weight above zero' });
  }
  const names = targets.flatMap((target) => target?.name ?? []);
  return { kind: 'nodes', by, to: names, weights, regions, ...ttl };
}

function isDeclaration(given: object): given is Declaration {
  return 'block' in given && 'binds' in given;
}

function distancesOf(
  name: string,
  given: NonNullable<DnsOptions['distances']>,
  wrong: Problem[],
): DnsConfig['distancesUs'] {
  return Object.fromEntries(
    Object.entries(given).map(([from, all]) => [
      from,
      Object.fromEntries(
        Object.entries(all).map(([to, text]) => {
          const us = parseDuration(text);
          if (us === undefined) {
            const at = `${name}.distances.${from}.${to}`;
            wrong.push({ at, what: `must be a duration like '160ms', got ${show(text)}` });
          }
          return [to, us ?? 0];
        }),
      ),
    ]),
  );
}
