/**
 * Boots the programs of one node, in the plan's order, on the doors that a world hands out. The
 * simulator and the live world both come through here, so no program can tell them apart.
 */
import type { Boot, NodeRuntime } from '../host/boot.ts';
import type { Client, Declaration, ProgramCode } from '../host/declaration.ts';
import type { Handlers, Message, Program, Value } from '../host/host.ts';
import type { NodePlan } from '../host/plan.ts';
import { assert } from '../kit/assert.ts';

export interface BootOptions {
  /** The declarations as this life of this node sees them: user modules are evaluated afresh. */
  readonly declarations: (node: NodePlan, life: number) => ReadonlyMap<string, Declaration>;
  /** Runs asynchronous user code of a node. */
  readonly runUserCode: (
    node: NodePlan,
    life: number,
    what: string,
    start: () => Promise<void> | void,
  ) => void;
}

/** What is left of a declaration for programs that are run without the design's modules: see `Block.readsCode`. */
export function withoutCode({ name, block }: Pick<Declaration, 'name' | 'block'>): Declaration {
  return { name, block, config: null, problems: [], binds: {} };
}

export function makeBoot(options: BootOptions): Boot {
  return (node, life, hostOf): NodeRuntime => {
    const declarations = options.declarations(node, life);
    const ports = new Map<string, Handlers>();
    const open = new Map<string, { api: unknown; declaration: Declaration }>();
    for (const plan of node.programs) {
      const declaration = declarations.get(plan.block);
      assert(declaration, `the plan and the design name the same blocks (${plan.block})`);
      const { block } = declaration;
      const code: ProgramCode = {
        declaration: block.readsCode?.includes(plan.role) ? declaration : withoutCode(declaration),
        open,
        run: (what, start) => options.runUserCode(node, life, what, start),
      };
      const program = plan.role === 'client' ? block.client : block.programs[plan.role];
      assert(program, `${block.kind} has a program for the role ${plan.role}`);
      const boot = program as Program<Message, Value, ProgramCode>;
      const handlers = boot(hostOf(plan.port), plan.config, code);
      if ('api' in handlers) open.set(plan.port, { api: (handlers as Client).api, declaration });
      ports.set(plan.port, handlers);
    }
    return { ports };
  };
}
