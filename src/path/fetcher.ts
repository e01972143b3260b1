/**
 * The half of a service that stands at its caller: a fetcher. It balances over the instances,
 * retries where that is safe, and passes the deadline on.
 */

import { mayControl, type ToProgram } from '../host/control.ts';
import type { Client, ProgramCode } from '../host/declaration.ts';
import type { Host, Micros } from '../host/host.ts';
import { isWebFailure, type WebMessage, type WebReply } from '../host/web.ts';
import { type Asked, Caller, type FetcherConfig, isForCallers, type Outcome } from './caller.ts';
import { Calls } from './calls.ts';
import { wayTo } from './directory.ts';
import { takeWeb } from './streaming.ts';

export interface FetcherApi {
  /** What it returns gives the call up. */
  call(asked: Asked, deadlineAt: Micros | undefined, done: (outcome: Outcome) => void): () => void;
}

export function fetcher(host: Host, config: FetcherConfig, code: ProgramCode): Client {
  const { path: policy, targets, backup, directory, isLocal } = config;
  const calls = new Calls<WebReply>(host, { failed: isWebFailure, counted: !isLocal });
  const service = code.declaration.name;
  const caller = new Caller({
    host,
    calls,
    service,
    policy,
    targets,
    backup,
    random: host.random,
  });
  const way = wayTo({
    host,
    caller,
    service,
    traffic: targets.traffic,
    place: directory,
    open: code.open,
  });
  const api: FetcherApi = {
    call: (asked, deadlineAt, done) => way.call(asked, deadlineAt, done),
  };
  return {
    api,
    message(from, message) {
      const web = message as WebMessage | ToProgram;
      if (web.type === 'reply') calls.settle(web.id, web);
      else if (web.type === 'lost') calls.lost(web.id);
      // Beside a sidecar it is the sidecar that obeys.
      else if (isForCallers(web) && !isLocal && mayControl(from, host.self)) caller.obey(web);
    },
    stream(_from, opening, stream) {
      const web = opening as WebMessage;
      if (web.type !== 'reply') return undefined;
      const { message, events } = takeWeb(web, stream);
      return calls.settle(web.id, message) ? events : undefined;
    },
    refused: (_to, message) => calls.refused((message as WebMessage).id),
    disconnected: (node) => calls.disconnected(node),
  };
}
