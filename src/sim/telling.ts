/** What happened in a world, in words: for comparing two runs step by step, and for why a node ended. */
import type { Address, Message } from '../host/host.ts';
import * as kinds from './kinds.ts';
import { kindNames } from './kinds.ts';
import type { Route } from './network.ts';

/** An event as the queue gave it. */
export interface Happened {
  readonly kind: number;
  readonly a: unknown;
  readonly b: unknown;
}

type Describe = (from: Address, to: Address, message: Message) => string;

export function whatHappened({ kind, a, b }: Happened, describe: Describe | undefined): string {
  const what = kindNames[kind] ?? `kind ${kind}`;
  switch (kind) {
    case kinds.deliver:
    case kinds.deliverTwice:
    case kinds.deliverAgain:
    case kinds.refused: {
      const { from, to } = b as Route;
      const message = a as Message;
      const line = describe?.(from, to, message) ?? message.type;
      return `${what} ${from.node}:${from.port} -> ${to.node}:${to.port} ${line}`;
    }
    case kinds.control:
      return `${what} ${(a as Message).type}`;
    case kinds.disconnected:
      return `${what} from ${String(a)}`;
    default:
      return what;
  }
}

export function reasonOf(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
