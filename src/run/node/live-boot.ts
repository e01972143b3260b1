/**
 * How a live node gets its programs, in a process of its own or, with `--single`, in this one. Most nodes run blocks
 * that the design only configures: those get them from Loadpath, and neither load the design nor what it imports.
 */
import { blockOfKind, kinds } from '../../blocks/by-kind.ts';
import type { Boot } from '../../host/boot.ts';
import type { Declaration } from '../../host/declaration.ts';
import type { Value } from '../../host/host.ts';
import type { NodePlan } from '../../host/plan.ts';
import { assert } from '../../kit/assert.ts';
import { makeBoot, withoutCode } from '../boot.ts';
import type { DesignBundle } from './bundle.ts';
import type { KeptBundle } from './kept-bundle.ts';

/** What the supervisor sends along. */
export type ChildData =
  | { readonly kindOf: Readonly<Record<string, string>> }
  | {
      /** As it was when the run began: a node that restarts runs what the others run. */
      readonly bundle: DesignBundle | KeptBundle;
      /** The run's own load in place of the design's; its visits only go to those who send them. */
      readonly load: Value;
      /** Options in place of the design's. */
      readonly set: Readonly<Record<string, string | number | boolean>> | null;
    };

/**
 * The kinds of the blocks whose programs run on `node`, by name, if it can do without the design: no user code, nothing
 * that reads what only the design's modules have, no block that somebody else wrote.
 */
export function kindsWithoutDesign(
  node: NodePlan,
  declared: ReadonlyMap<string, Declaration>,
  isOurs: (declaration: Declaration) => boolean,
): Readonly<Record<string, string>> | undefined {
  if (node.userCode) return undefined;
  const found: Record<string, string> = {};
  for (const { block: name, role } of node.programs) {
    const declaration = declared.get(name);
    if (!declaration || !isOurs(declaration)) return undefined;
    const { kind, readsCode = [] } = declaration.block;
    if (readsCode.includes(role) || !kinds.includes(kind)) return undefined;
    found[name] = kind;
  }
  return found;
}

export async function liveBoot(data: ChildData, node: NodePlan): Promise<Boot> {
  if (!('kindOf' in data)) {
    const { designBoot } = await import('./design-boot.ts');
    return designBoot(data, node);
  }
  const declared = new Map<string, Declaration>();
  for (const [name, kind] of Object.entries(data.kindOf)) {
    const block = await blockOfKind(kind);
    assert(block, `there is a block of the kind ${kind}`);
    declared.set(name, withoutCode({ name, block }));
  }
  return makeBoot({
    declarations: () => declared,
    runUserCode: (_node, _life, _what, start) => void start(),
  });
}
