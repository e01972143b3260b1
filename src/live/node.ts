/**
 * The life of a child process that is one node. It takes its orders from the supervisor's
 * channel and never outlives it: when the channel breaks, the supervisor is dead, and a node
 * that nobody watches would hold ports and files for ever.
 */
import type { Socket } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { type MakeBoot, type News, type Order, Session } from './session.ts';

/**
 * Runs this process as a node: `await runLiveNode(async ({ path }) => bootOf(await loadDesign(path)))`.
 * `makeBoot` gets what the supervisor was given as `childData`. Call it first thing, before
 * slow imports, so that no order is missed.
 */
export function runLiveNode(makeBoot: MakeBoot): void {
  const tell = (news: News) => {
    // Not before: compiled code that was kept is good under the flags that it was made under only.
    if (news.type === 'ready') setFlags();
    // The channel may break at any moment; 'disconnect' then ends this process.
    if (process.connected) process.send?.(news, undefined, undefined, () => {});
  };
  const session = new Session(makeBoot, tell, () => {
    // User code may hold timers and sockets that would keep the process alive.
    if (process.connected) process.send?.({ type: 'bye' }, undefined, undefined, endProcess);
    else endProcess();
  });
  // Ctrl-C and SIGHUP reach every process of the terminal, SIGTERM those of a service: what is to be done
  // about it the supervisor decides.
  process.on('SIGINT', () => {});
  for (const signal of ['SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => tell({ type: 'asked' }));
  }
  process.on('disconnect', endProcess);
  process.on('uncaughtException', (error) => session.crash(error));
  process.on('unhandledRejection', (reason) => session.crash(reason, 'rejected'));
  process.on('message', (order, socket) =>
    session.take(order as Order, socket as Socket | undefined),
  );
  if (!process.connected) endProcess();
}

/**
 * What outlives a collection while a process warms up, V8 makes among the old from then on. For what lives
 * as long as a request that is wrong: dead among the old, it keeps alive whatever it points to. Measured at a
 * gateway, it made the garbage that is copied on five times as much.
 */
function setFlags(): void {
  setFlagsFromString('--no-allocation-site-pretenuring');
}

/** At once, and without a chance for anything to object. All that must last is on disk already. */
function endProcess(): void {
  process.kill(process.pid, 'SIGKILL');
}
