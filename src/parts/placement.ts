/**
 * Where the members of a block stand: `links/0` in zone a, `links/1` in b, and so round the zones.
 */
import type { NodeId } from '../host/host.ts';
import type { ZonePlan } from '../host/plan.ts';

export interface Place {
  readonly id: NodeId;
  readonly zone: string;
}

/** `count` members of `block`, spread over the zones in turn. */
export function spread(block: string, count: number, zones: readonly ZonePlan[]): readonly Place[] {
  return Array.from({ length: count }, (_, index) => ({
    id: `${block}/${index}`,
    zone: zones[index % zones.length]!.name,
  }));
}
