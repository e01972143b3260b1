/**
 * A simulated world of a few hand-written programs, for tests below the design language:
 *
 *   const world = sandbox({ nodes: { a: { echo: (host) => ({ message: … }) }, b: { … } } });
 *   world.bootAll();
 *   world.run(1_000_000);
 */

import type { Handlers, Host, Message } from '../src/host/host.ts';
import type { LinkPlan, NetworkPlan, NodePlan, Plan } from '../src/host/plan.ts';
import { arithmetic } from '../src/sim/node/arithmetic.ts';
import { World, type WorldOptions } from '../src/sim/world.ts';

/** A program as a closure; it reads its message's fields after a look at `type`. */
export type Sketch = (host: Host) => Handlers<Message & Readonly<Record<string, unknown>>>;

export interface SketchNode {
  readonly programs: Readonly<Record<string, Sketch>>;
  readonly zone?: string;
  readonly kind?: string;
  readonly block?: string;
  readonly cores?: number;
  readonly userCode?: boolean;
}

export interface SandboxOptions extends Omit<WorldOptions, 'plan' | 'boot' | 'seed'> {
  readonly seed?: number;
  /** Programs by port, or a whole node. The id may be `block/index`. */
  readonly nodes: Readonly<Record<string, SketchNode | Readonly<Record<string, Sketch>>>>;
  /** Not in the plan: for `world.addNode(nodePlan(id, sketch))`. */
  readonly later?: Readonly<Record<string, SketchNode>>;
  readonly zones?: Plan['zones'];
  readonly network?: Partial<NetworkPlan>;
}

/** A link with nothing but a delay. */
export function link(delayUs: number, more: Partial<LinkPlan> = {}): LinkPlan {
  return {
    delay: { kind: 'constant', value: delayUs },
    lossRatio: 0,
    duplicateRatio: 0,
    ...more,
  };
}

export const network: NetworkPlan = {
  loopback: link(10),
  sameZone: link(250),
  sameRegion: link(1_000),
  betweenRegions: link(40_000),
  connectTimeoutUs: 3_000_000,
};

export function sandbox(options: SandboxOptions): World {
  const { nodes, later = {}, zones, network: figures, seed = 1, ...rest } = options;
  const sketches = new Map<string, SketchNode>();
  for (const [id, node] of Object.entries(nodes)) {
    sketches.set(id, isNode(node) ? node : { programs: node });
  }
  const plan: Plan = {
    design: 'sandbox',
    zones:
      zones ??
      [...new Set([...sketches.values()].map(({ zone = 'a' }) => zone))].map((name) => ({
        name,
        region: 'here',
      })),
    nodes: [...sketches].map(([id, sketch]) => nodePlan(id, sketch)),
    network: { ...network, ...figures },
  };
  return new World({
    ...rest,
    plan,
    seed,
    arithmetic,
    boot: (node, _life, hostOf) => {
      const ports = new Map<string, Handlers>();
      const programs = (sketches.get(node.id) ?? later[node.id])?.programs ?? {};
      for (const [port, program] of Object.entries(programs)) {
        ports.set(port, program(hostOf(port)) as Handlers);
      }
      return { ports };
    },
  });
}

export function nodePlan(id: string, sketch: SketchNode): NodePlan {
  const block = sketch.block ?? id.split('/')[0]!;
  return {
    id,
    block,
    kind: sketch.kind ?? 'sketch',
    role: 'sketch',
    zone: sketch.zone ?? 'a',
    cores: sketch.cores ?? 1,
    userCode: sketch.userCode ?? false,
    programs: Object.keys(sketch.programs).map((port) => ({
      port,
      block,
      role: port,
      config: null,
    })),
  };
}

function isNode(node: SketchNode | Readonly<Record<string, Sketch>>): node is SketchNode {
  return typeof node.programs === 'object';
}
