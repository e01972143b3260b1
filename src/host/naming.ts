/**
 * How callers find who serves a name in a URL: what a client half of `dns` offers on its own node; and
 * questions about names as messages, which the live world also has from outside.
 */
import type { Micros, NodeId } from './host.ts';

export type NameQuery = {
  readonly type: 'query';
  readonly id: number;
  readonly name: string;
  /** Where it is asked from; null: the server takes its own. Resolvers say theirs, as their addresses would. */
  readonly region: string | null;
};

export type NameCode = 'ok' | 'no-name' | 'failed';

export type NameAnswer = {
  readonly type: 'answer';
  readonly id: number;
  readonly code: NameCode;
  readonly nodes: readonly NodeId[];
  /** The names on the way to what was found. */
  readonly aliases: readonly string[];
  readonly text: string | null;
  readonly ttlUs: Micros;
};

export interface Named {
  /** To be tried in this order. Empty: there is no such name, or nobody well has it. */
  readonly nodes: readonly NodeId[];
  readonly why?: 'no-name' | 'no-answer' | undefined;
}

export interface Naming {
  /** `host` without a port. May call `done` at once, when the answer is still remembered. */
  resolve(host: string, done: (named: Named) => void): void;
}
