/**
 * One who serves, as a single caller knows him: what is open there, and until when he is better left
 * alone. Several may say so (a broken connection, a breaker, an ejection, a health check); balancers
 * read one number, the latest of all.
 */
import type { Address, Micros, NodeId } from '../host/host.ts';
import type { Member } from '../host/path.ts';
import { webPort } from '../host/web.ts';
import type { TurnTarget } from '../parts/balance/weighted.ts';
import type { WarmingTarget } from '../parts/balance/weights.ts';
import type { ZonedTarget } from '../parts/balance/zones.ts';
import type { NamedTarget } from '../parts/balance.ts';

export class Instance implements NamedTarget, TurnTarget, WarmingTarget, ZonedTarget {
  readonly id: NodeId;
  readonly address: Address;
  zone: string;
  weight: number;
  cameAt: Micros;
  credit = 0;
  open = 0;
  avoidUntil: Micros = 0;

  constructor(member: Member, cameAt: Micros) {
    this.id = member.node;
    this.address = { node: member.node, port: member.port ?? webPort };
    this.zone = member.zone ?? '';
    this.weight = member.weight ?? 1;
    this.cameAt = cameAt;
  }
}

export function memberOf(member: NodeId | Member): Member {
  return typeof member === 'string' ? { node: member } : member;
}
