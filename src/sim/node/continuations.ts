/**
 * In whose name user code goes on after an `await`. Requests may share an event: one load of a hot
 * key wakes a hundred handlers, each of which must go on in its own name.
 *
 * It costs about as much as the user code itself, so only runs that follow one request have it.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { Continuations, Holder } from '../causality.ts';

/** Taken before the platform is patched: timers look there for stores of the user's own. */
const { run } = AsyncLocalStorage.prototype;

/** `end` gives back what it costs. */
export function continuations(): Continuations & { end(): void } {
  const storage = new AsyncLocalStorage<Holder>();
  return {
    run: <T>(holder: Holder, start: () => T): T => run.call(storage, holder, start) as T,
    current: () => storage.getStore(),
    end: () => storage.disable(),
  };
}
