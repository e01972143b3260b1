/**
 * Where doors to the outside listen, live. A port that somebody asked for is the first node's of its
 * block, and further nodes count up from it; what was not asked for gives way to what was.
 */
import type { NodeId } from '../host/host.ts';
import type { EdgePlan, Plan } from '../host/plan.ts';

/** 0 for any free port. */
export type Door = Pick<EdgePlan, 'listen' | 'isFixed'>;

export interface PortOptions {
  readonly port: number;
  /** Somebody asked for it; else it is the default. */
  readonly isPortGiven: boolean;
}

/** For a block's door number `index`. */
export function listenAt({ port, isPortGiven }: PortOptions, index: number): Door {
  if (port === 0) return { listen: 0 };
  return { listen: port + index, ...(isPortGiven ? { isFixed: true } : {}) };
}

export interface FixedPort {
  readonly node: NodeId;
  readonly port: number;
}

/** Ports that somebody asked for, of addresses and of nodes alone. */
export function fixedPorts({
  nodes,
  addresses = [],
}: Pick<Plan, 'nodes' | 'addresses'>): FixedPort[] {
  const doors = nodes
    .filter(({ outside }) => outside === undefined)
    .flatMap(({ id, programs }) => programs.map(({ edge }) => ({ node: id, ...edge })));
  return [...addresses, ...doors].flatMap(({ node, listen, isFixed }) =>
    isFixed && listen ? [{ node, port: listen }] : [],
  );
}

export interface Clash extends FixedPort {
  readonly text: string;
}

/** Who would listen where one before it does already. */
export function clashesOf(ports: readonly FixedPort[]): Clash[] {
  const firsts = new Map<number, NodeId>();
  return ports.flatMap(({ node, port }) => {
    const first = firsts.get(port);
    if (first !== undefined) {
      return [{ node, port, text: `${first} and ${node} would both listen on port ${port}` }];
    }
    firsts.set(port, node);
    return [];
  });
}

/** Hands out ports, those that nobody asked for around those that somebody did. */
export class Ports {
  readonly #taken: Set<number>;

  constructor(fixed: readonly FixedPort[]) {
    this.#taken = new Set(fixed.map(({ port }) => port));
  }

  of({ listen, isFixed }: Door): number {
    if (listen === 0 || isFixed) return listen;
    let port = listen;
    while (this.#taken.has(port)) port++;
    this.#taken.add(port);
    return port;
  }
}
