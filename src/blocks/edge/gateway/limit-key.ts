/** What a limit counts a request under, and what its reply says of it. */

import { type Atlas, networkOf } from '../../../parts/networks.ts';
import type { RouteConfig } from './config.ts';
import { headerOf } from './headers.ts';
import type { Parts, Visit } from './visit.ts';

/** Of any limit, whoever counts. */
export interface Keyed {
  readonly by: 'ip' | 'network' | 'user' | 'location' | 'header' | 'route' | 'service' | 'all';
  readonly header: string;
  readonly tier: string;
  readonly only: readonly string[];
  readonly except: readonly string[];
}

/** Undefined: this limit does not hold for this visit. */
export function keyOf(
  { by, header, tier, only, except }: Keyed,
  visit: Visit,
  atlas: Atlas,
): string | undefined {
  if (tier !== '' && visit.identity?.tier !== tier) return undefined;
  const { ip } = visit.request;
  let key: string;
  switch (by) {
    case 'ip':
      key = ip;
      break;
    case 'network':
      key = networkOf(ip);
      break;
    case 'user':
      // Who is nobody is told apart by address, and cannot be taken for a user of that name.
      key = visit.identity ? visit.identity.user : `\0${ip}`;
      break;
    case 'location':
      key = atlas.locationOf(ip);
      break;
    case 'header':
      key = headerOf(visit.request.headers, header) ?? '';
      break;
    case 'route':
      key = visit.route?.name ?? '';
      break;
    case 'service':
      key = serviceOf(visit.route);
      break;
    case 'all':
      key = '';
  }
  if (only.length > 0 && !only.includes(key)) return undefined;
  return except.includes(key) ? undefined : key;
}

function serviceOf(route: RouteConfig | undefined): string {
  return route?.to.type === 'service' ? route.to.service : '';
}

/** The reply with what its limits noted, once. */
export function told(visit: Visit, reply: Parts | undefined): Parts | undefined {
  if (!reply || visit.limitRules === '') return reply;
  const { limitRules, limitStates } = visit;
  visit.limitRules = '';
  const fields = ['ratelimit-policy', limitRules, 'ratelimit', limitStates];
  return { ...reply, headers: [...reply.headers, ...fields] };
}
