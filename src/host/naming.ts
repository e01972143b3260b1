/** How callers find who serves a name in a URL: what a client half of `dns` offers on its own node. */
import type { NodeId } from './host.ts';

export interface Named {
  /** To be tried in this order. Empty: there is no such name, or nobody well has it. */
  readonly nodes: readonly NodeId[];
  readonly why?: 'no-name' | 'no-answer' | undefined;
}

export interface Naming {
  /** `host` without a port. May call `done` at once, when the answer is still remembered. */
  resolve(host: string, done: (named: Named) => void): void;
}
