/**
 * With all nodes in one process: whose code it was that threw where nobody catches, or rejected a promise that nobody
 * awaits. The engine tells the process of both; the asynchronous context in which they happen tells the node, which ends
 * for it as it would in a process of its own.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { HowItFell, Session } from './session.ts';

const owners = new AsyncLocalStorage<Session>();
let isListening = false;

/** What `run` sets off, now or later, is the session's, and so is what falls out of it. */
export function onBehalfOf(session: Session, run: () => void): void {
  if (!isListening) listen();
  owners.run(session, () => {
    try {
      run();
    } catch (error) {
      session.crash(error);
    }
  });
}

/** For good: what a node began may fail after its end, and even after that of the run. */
function listen(): void {
  isListening = true;
  process.on('uncaughtException', onThrow);
  process.on('unhandledRejection', onReject);
}

function onThrow(error: unknown): void {
  fall('uncaughtException', error, 'thrown');
}

function onReject(reason: unknown): void {
  fall('unhandledRejection', reason, 'rejected');
}

function fall(event: string, error: unknown, how: HowItFell): void {
  const session = owners.getStore();
  if (session) {
    session.crash(error, how);
    return;
  }
  // Nobody's: it goes the way that it would have gone without us.
  if (process.listenerCount(event) > 1) return;
  isListening = false;
  process.off('uncaughtException', onThrow);
  process.off('unhandledRejection', onReject);
  setImmediate(() => {
    throw error;
  });
}
