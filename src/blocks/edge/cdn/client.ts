/** The caller's half of `purges`. */
import type { Client } from '../../../host/declaration.ts';
import type { Host, Micros } from '../../../host/host.ts';
import type { Purge } from '../../../parts/http-cache.ts';
import { type Answer, Calls } from '../../../path/calls.ts';
import { type PurgeMessage, purgesPort } from '../../../path/purges.ts';
import type { PurgeClientConfig } from './config.ts';

export type PurgeAnswer = Answer<PurgeMessage>;

export interface PurgesApi {
  purge(purge: Purge, deadlineAt: Micros | undefined, done: (answer: PurgeAnswer) => void): void;
}

export function client(host: Host, config: PurgeClientConfig): Client & { api: PurgesApi } {
  const calls = new Calls<PurgeMessage>(host, { failed: ({ type }) => type === 'unpurged' });
  const to = { node: config.log, port: purgesPort };
  const api: PurgesApi = {
    purge(purge, deadlineAt, done) {
      const left = deadlineAt === undefined ? config.timeoutUs : deadlineAt - host.now();
      const timeoutUs = Math.max(0, Math.min(config.timeoutUs, left));
      const id = calls.open(to, timeoutUs, done);
      host.send(to, { type: 'purge', id, purge } satisfies PurgeMessage);
    },
  };
  return {
    api,
    message(_from, message) {
      const answer = message as PurgeMessage;
      if (answer.type === 'purged' || answer.type === 'unpurged') calls.settle(answer.id, answer);
    },
    refused: (_to, message) => calls.refused((message as PurgeMessage & { id: number }).id),
    disconnected: (node) => calls.disconnected(node),
  };
}
