/** Where a live system is reached, and in which order its nodes go down. */
import type { NodeId } from '../host/host.ts';
import type { NodePlan } from '../host/plan.ts';
import { webPort } from '../host/web.ts';
import type { Addresses } from './addresses.ts';
import { isSecure } from './live-node.ts';
import type { Seat } from './seat.ts';
import type { EdgeAddress } from './system.ts';

/** Addresses that several nodes share come first, once each. */
export function edgesOf(
  addresses: Addresses,
  seats: ReadonlyMap<NodeId, Seat>,
): readonly EdgeAddress[] {
  const shared = addresses.ports.map(({ plan: { node, members, lines }, port }) => ({
    node,
    members,
    lines,
    port: webPort,
    url: urlOf(seats.get(members[0]!)!.node, webPort, port),
  }));
  const isKnownApart = ({ node }: Seat): boolean =>
    !shared.some(({ members, lines }) => lines && members.includes(node.id));
  const own = [...seats.values()].filter(isKnownApart).flatMap(({ node, edgePorts }) =>
    Object.entries(edgePorts).map(([port, tcp]) => ({
      node: node.id,
      port,
      url: urlOf(node, port, tcp),
    })),
  );
  return [...shared.map(({ node, port, url }) => ({ node, port, url })), ...own];
}

/** Who asks goes before who answers, so that nobody drains against a closed door. */
export function tiers(seats: readonly Seat[]): readonly (readonly Seat[])[] {
  const rank = ({ node }: Seat): number => {
    if (node.kind === 'users') return 0;
    if (node.programs.some((program) => program.edge?.passes)) return 1;
    if (node.programs.some((program) => program.edge)) return 2;
    return node.userCode ? 3 : 4;
  };
  return [0, 1, 2, 3, 4].map((wanted) => seats.filter((seat) => rank(seat) === wanted));
}

function urlOf(node: NodePlan, port: string, tcp: number): string {
  const isOverTls = isSecure(node.programs.find((program) => program.port === port)?.edge);
  return `${isOverTls ? 'https' : 'http'}://127.0.0.1:${tcp}`;
}
