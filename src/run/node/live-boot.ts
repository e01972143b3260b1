/** How a live node gets its programs, in a process of its own or, with `--single`, in this one. */
import type { LoadOverride } from '../../blocks/workload/users/index.ts';
import { declarationsOf } from '../../design/system.ts';
import type { Boot } from '../../host/boot.ts';
import type { NodePlan } from '../../host/plan.ts';
import { Headers, Request, Response, WebSocketPair } from '../../parts/web.ts';
import { makeBoot } from '../boot.ts';
import { designOf } from '../options.ts';
import type { DesignBundle } from './bundle.ts';
import type { ChildData } from './child.ts';
import { type LoadedDesign, loadBundle } from './load.ts';

/** With `--single` all nodes share one. */
const loaded = new WeakMap<DesignBundle, Promise<LoadedDesign>>();

/** The light classes in both worlds: what a handler sees must not depend on where it runs. */
function lightWeb(): void {
  Object.assign(globalThis, { Headers, Request, Response, WebSocketPair });
}

export async function liveBoot(data: ChildData, node: NodePlan): Promise<Boot> {
  const { bundle } = data;
  const load = (data.load ?? undefined) as LoadOverride | undefined;
  if (node.userCode) lightWeb();
  let loading = loaded.get(bundle);
  if (!loading) {
    loading = loadBundle(bundle);
    loaded.set(bundle, loading);
  }
  const design = await loading;
  return makeBoot({
    declarations: () => {
      const declarations = declarationsOf(designOf(design, { set: data.set ?? {} }), load);
      return new Map(declarations.map((declaration) => [declaration.name, declaration]));
    },
    runUserCode: (_node, _life, _what, start) => {
      // What falls through here ends the process loudly, through its unhandled rejection.
      void start();
    },
  });
}
