/** How a live node that runs code of the design's gets its programs: the design's modules are evaluated here. */
import type { LoadOverride } from '../../blocks/workload/users/index.ts';
import { declarationsOf } from '../../design/system.ts';
import type { Boot } from '../../host/boot.ts';
import type { NodePlan } from '../../host/plan.ts';
import { Headers, Request, Response, WebSocketPair } from '../../parts/web.ts';
import { makeBoot } from '../boot.ts';
import { designOf } from '../options.ts';
import type { DesignBundle } from './bundle.ts';
import { bundleIn, type KeptBundle } from './kept-bundle.ts';
import type { ChildData } from './live-boot.ts';
import { type LoadedDesign, loadBundle } from './load.ts';

type WithDesign = Extract<ChildData, { readonly bundle: unknown }>;

/** With `--single` all nodes share one. */
const loaded = new WeakMap<DesignBundle | KeptBundle, Promise<LoadedDesign>>();

/** The light classes in both worlds: what a handler sees must not depend on where it runs. */
function lightWeb(): void {
  Object.assign(globalThis, { Headers, Request, Response, WebSocketPair });
}

export async function designBoot(data: WithDesign, node: NodePlan): Promise<Boot> {
  const load = (data.load ?? undefined) as LoadOverride | undefined;
  if (node.userCode) lightWeb();
  let loading = loaded.get(data.bundle);
  if (!loading) {
    const { bundle, engine } =
      'code' in data.bundle ? { bundle: data.bundle, engine: undefined } : bundleIn(data.bundle);
    loading = loadBundle(bundle, engine);
    loaded.set(data.bundle, loading);
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
