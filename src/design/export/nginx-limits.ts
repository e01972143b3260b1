/** Limits in the words of nginx: a leaky bucket by key, for the requests that a zone has a key for. */
import type { LimitConfig, LocationConfig } from '../../blocks/edge/gateway/config.ts';
import { ratePerSec } from '../../kit/units.ts';
import { identifier, literal } from './nginx-text.ts';
import { escaped } from './patterns.ts';
import type { Remarks } from './remarks.ts';
import type { LimitTask, ProxyTask } from './task.ts';

/** A variable that is the key, empty for what is not counted, and the maps that it needs. */
export interface Keyed {
  readonly key: string;
  readonly maps: readonly string[];
}

export function limitKeys(
  limits: readonly LimitTask[],
  locations: readonly LocationConfig[],
  remarks: Remarks,
): ReadonlyMap<LimitTask, Keyed> {
  return new Map(limits.map((task) => [task, keyOf(task, locations, remarks)]));
}

function keyOf(
  { id, at, limit }: LimitTask,
  locations: readonly LocationConfig[],
  remarks: Remarks,
): Keyed {
  const { key, maps } = plainKey(id, at, limit, locations, remarks);
  const { only, except } = limit;
  if (only.length === 0 && except.length === 0) return { key, maps };
  // Addresses are compared as text here.
  const shown = key === '$binary_remote_addr' ? '$remote_addr' : key;
  const entries = (keys: readonly string[], value: string) =>
    keys.map((one) => `    ${literal(at, `~^${escaped(one)}$`)} ${value};`);
  return {
    key: `$key_${id}`,
    maps: [
      ...maps,
      `  map ${shown} $key_${id} {`,
      ...entries(except, '""'),
      ...entries(only, shown),
      `    default ${only.length > 0 ? '""' : shown};`,
      '  }',
    ],
  };
}

function plainKey(
  id: string,
  at: string,
  { by, header }: LimitConfig,
  locations: readonly LocationConfig[],
  remarks: Remarks,
): Keyed {
  switch (by) {
    case 'ip':
      return { key: '$binary_remote_addr', maps: [] };
    case 'user':
      remarks.approximated(
        `${at}.by`,
        'counted by address',
        'nginx does not know who was authenticated.',
      );
      return { key: '$binary_remote_addr', maps: [] };
    case 'header':
      return { key: `$http_${identifier(at, header.replaceAll('-', '_'))}`, maps: [] };
    case 'network':
      return {
        key: `$network_${id}`,
        maps: [
          `  map $remote_addr $network_${id} {`,
          '    "~^(?<four>[0-9]+[.][0-9]+[.][0-9]+)[.]" $four;',
          '    "~^(?<six>[0-9a-f]+:[0-9a-f]+:[0-9a-f]+:[0-9a-f]+):" $six;',
          '    default $remote_addr;',
          '  }',
        ],
      };
    case 'location':
      return {
        key: `$location_${id}`,
        maps: [
          `  geo $location_${id} {`,
          '    default "";',
          ...locations.map(({ network, name }) => `    ${network} ${literal(at, name)};`),
          '  }',
        ],
      };
    case 'route':
      return { key: '$route_id', maps: [] };
    case 'service':
      return { key: '$service_id', maps: [] };
    case 'all':
      return { key: '"all"', maps: [] };
  }
}

/** Whole requests a second or a minute: nginx knows no others. */
export function rateText({ rate, cost }: LimitConfig): string {
  const perSec = ratePerSec(rate) / cost;
  if (Number.isInteger(perSec)) return `${perSec}r/s`;
  const perMin = perSec * 60;
  return perMin > 60_000 ? `${Math.round(perSec)}r/s` : `${Math.max(1, Math.round(perMin))}r/m`;
}

export function limitRemarks({ gateway, limits }: ProxyTask, remarks: Remarks): void {
  for (const { at, limit } of limits) {
    const { algorithm, rate, cost, tier, tell, over } = limit;
    const isQueue = algorithm === 'leaky-queue' || over === 'delay';
    if (algorithm === 'concurrency') {
      remarks.approximated(
        at,
        'limit_conn',
        'A request counts once its header is read, and over HTTP/2 each stream counts.',
      );
    } else if (/window|sliding/.test(algorithm)) {
      remarks.approximated(
        `${at}.algorithm`,
        'limit_req, a leaky bucket of the same rate',
        `nginx has no windows: after ${rate.count} at once more are admitted one by one as time passes, not all again with the next window.`,
      );
    } else if (!isQueue) {
      remarks.approximated(
        `${at}.algorithm`,
        'limit_req with burst and nodelay',
        'A leaky bucket as a meter: the same law, counted in milliseconds and in whole requests a second or a minute.',
      );
    }
    const text = rateText(limit);
    const said = Number.parseInt(text, 10) / (text.endsWith('r/m') ? 60 : 1);
    const wanted = ratePerSec(rate) / cost;
    if (algorithm !== 'concurrency' && Math.abs(said - wanted) > wanted / 1_000) {
      remarks.approximated(
        `${at}.rate`,
        text,
        `It is ${Number(wanted.toPrecision(3))} a second; nginx counts whole requests a second or a minute.`,
      );
    }
    if (cost > 1)
      remarks.approximated(
        `${at}.cost`,
        'rate and burst divided by it',
        'In nginx every request costs 1.',
      );
    if (tier !== '')
      remarks.approximated(
        `${at}.tier`,
        'it holds for everybody',
        'nginx does not know the tier of a caller.',
      );
    if (tell === 'always') {
      remarks.missing(
        `${at}.tell`,
        'a 429 carries Retry-After only',
        'nginx has no variable with what is left of a limit.',
      );
    }
  }
  if (limits.length > 0) {
    remarks.approximated(
      `${gateway}.limits`,
      'requests that no route takes are not counted',
      'nginx answers them before it looks at limits.',
    );
  }
}
