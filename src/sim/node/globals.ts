/**
 * The platform as a simulated node sees it. `install()` replaces clocks, timers, chance, `fetch`,
 * console and I/O with stand-ins that ask who is current: with a scope entered they are that
 * node's virtual ones, without one they are the originals, so the runner's own code is unharmed.
 *
 *   install()            before any user module loads: some libraries keep what they find
 *   loadDesign(…)
 *   enter(scope) … drain() … enter(undefined)          around every event
 *   uninstall()          puts everything back
 */
import { createRequire, syncBuiltinESMExports } from 'node:module';
import { Native } from '../../parts/web/native.ts';
import { Headers, Request, Response, toNativeRequest, WebSocketPair } from '../../parts/web.ts';
import { patchChance } from './chance.ts';
import { patchClock } from './clock.ts';
import { patchCommons } from './commons.ts';
import { patchConsole } from './console.ts';
import { patchContexts } from './contexts.ts';
import { patchForbidden } from './forbid.ts';
import { patchMachine } from './machine.ts';
import { patchOffload } from './offload.ts';
import { disguised, Patches } from './patches.ts';
import { patchPerformance } from './performance.ts';
import { current, enter } from './scope.ts';
import { patchTimers } from './timers.ts';

export { current, enter, type LogLevel, loading, type Scope } from './scope.ts';

let installed: Patches | undefined;

/** Idempotent: a second call changes nothing. */
export function install(): void {
  if (installed) return;
  const patches = new Patches();
  // Named imports of builtins see the stand-ins only after a sync, and reading some of these
  // properties for the first time loads them, which must happen on the real platform.
  createRequire(import.meta.url)('node:http2');
  void Native.Response;
  patchClock(patches);
  patchPerformance(patches);
  patchTimers(patches);
  patchChance(patches);
  patchCommons(patches);
  patchContexts(patches);
  patchMachine(patches);
  patchConsole(patches);
  patchOffload(patches);
  patchWeb(patches);
  patchForbidden(patches);
  syncBuiltinESMExports();
  installed = patches;
}

export function uninstall(): void {
  if (!installed) return;
  enter(undefined);
  installed.restore();
  syncBuiltinESMExports();
  installed = undefined;
}

function patchWeb(patches: Patches): void {
  const realFetch = globalThis.fetch;
  const fetch = async (
    input: string | URL | globalThis.Request,
    init?: RequestInit,
  ): Promise<globalThis.Response> => {
    if (current !== undefined) return current.fetch(input, init);
    // The real one knows its own classes only.
    if (input instanceof Request) {
      return realFetch(await toNativeRequest(new Request(input, init)));
    }
    return realFetch(input, init);
  };
  patches.value(globalThis, 'fetch', disguised(fetch, realFetch));
  patches.value(globalThis, 'Request', Request);
  patches.value(globalThis, 'Response', Response);
  patches.value(globalThis, 'Headers', Headers);
  patches.value(globalThis, 'WebSocketPair', WebSocketPair);
}
