/**
 * Contexts of `vm` have a `Date` and a `Math` of their own, out of the platform's hands. They are given
 * those that ask who is current.
 */
import vm from 'node:vm';
import { disguised, type Patches } from './patches.ts';

export function patchContexts(patches: Patches): void {
  const real = vm.createContext;
  const createContext = (...given: Parameters<typeof real>): vm.Context => {
    const [object] = given;
    const isNew = typeof object !== 'object' || !vm.isContext(object);
    const context = real(...given);
    if (isNew) equip(context);
    return context;
  };
  patches.value(vm, 'createContext', disguised(createContext, real));

  const realRun = vm.runInNewContext;
  const runInNewContext = (code: string, object?: vm.Context, options?: never): unknown =>
    vm.runInContext(code, createContext(object ?? {}), options);
  patches.value(vm, 'runInNewContext', disguised(runInNewContext, realRun));

  const { prototype } = vm.Script;
  const realScript = prototype.runInNewContext;
  const runScript = function (this: vm.Script, object?: vm.Context, options?: never): unknown {
    return this.runInContext(createContext(object ?? {}), options);
  };
  patches.value(prototype, 'runInNewContext', disguised(runScript, realScript));
}

/** By what the patches of this thread have put in place, which also outlives them unharmed. */
function equip(context: vm.Context): void {
  const take = vm.runInContext(
    '((date, random) => { globalThis.Date = date; Math.random = random; })',
    context,
  ) as (date: unknown, random: unknown) => void;
  take(Date, Math.random);
}
