/** The half of a mesh at who changes it. */
import type { Client } from '../../../host/declaration.ts';
import type { Host, Message, Micros } from '../../../host/host.ts';
import { Unavailable } from '../../../kit/errors.ts';
import { Calls } from '../../../path/calls.ts';
import { controlPort, type MeshClientConfig } from './config.ts';
import type { MeshMessage, MeshReply } from './messages.ts';
import type { MeshChange, MeshState } from './versions.ts';

export type Ask =
  | { readonly type: 'apply'; readonly change: MeshChange }
  | { readonly type: 'roll-back' }
  | { readonly type: 'ask-state' };

export interface MeshApi {
  /** Who is in the mesh, and the releases of each. */
  readonly services: MeshClientConfig['services'];
  ask(
    what: Ask,
    deadlineAt: Micros | undefined,
    done: (outcome: MeshState | Unavailable) => void,
  ): void;
}

const timeoutUs = 1_000_000;

export function client(host: Host, config: MeshClientConfig): Client {
  const calls = new Calls<MeshReply>(host);
  const to = { node: config.control, port: controlPort };
  const api: MeshApi = {
    services: config.services,
    ask(what, deadlineAt, done) {
      const leftUs = Math.min(timeoutUs, (deadlineAt ?? Number.POSITIVE_INFINITY) - host.now());
      const fail = (why: string, certain: boolean): void =>
        done(new Unavailable(config.name, what.type, why, certain));
      if (leftUs <= 0) return fail('timeout', true);
      const id = calls.open(to, leftUs, (answer) => {
        if (!answer.ok) return fail(answer.why, answer.certain);
        const { reply } = answer;
        if (reply.type === 'refusal') return fail(reply.why, false);
        done(reply.state);
      });
      host.send(to, { ...what, id } satisfies MeshMessage);
    },
  };
  return {
    api,
    message(_from, message: Message) {
      const reply = message as MeshReply;
      calls.settle(reply.id, reply);
    },
    refused: (_to, message) => calls.refused((message as MeshReply).id),
    disconnected: (node) => calls.disconnected(node),
  };
}
