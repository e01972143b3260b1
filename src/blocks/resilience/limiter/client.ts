/**
 * The caller's half: knows whom to ask about a key, and always has an answer within `timeout`. Where
 * no node gives one, `whenUnreachable` does, and the answer says so.
 */
import type { Client } from '../../../host/declaration.ts';
import type { Host, Micros, NodeId } from '../../../host/host.ts';
import type { LimitAnswer, LimitsApi } from '../../../host/limits.ts';
import { type Answer, Calls } from '../../../path/calls.ts';
import type { LimiterClientConfig, Member } from './config.ts';
import { limiterPort, ranked } from './locked.ts';
import type { LimiterMessage, Take, VerdictMessage } from './messages.ts';

/** What `handle.ts` wraps in promises, and other programs call as it is. */
export interface LimiterApi extends LimitsApi {
  /** Where the key is counted first. */
  home(key: string): Member;
}

export function client(
  host: Host,
  config: LimiterClientConfig,
): Client & { readonly api: LimiterApi } {
  const calls = new Calls<VerdictMessage>(host);
  const allowedByPolicy = host.meter.counter('allowed by policy');
  const refusedByPolicy = host.meter.counter('refused by policy');
  const { members, mode, region } = config;
  const near = members.filter((member) => member.region === region);
  const far = members.filter((member) => member.region !== region);

  /** Whom to ask, one after the other while nobody listens there. */
  function candidates(key: string): readonly Member[] {
    switch (mode) {
      case 'central':
        return ranked(members, key).slice(0, 1);
      case 'sticky': {
        const all = ranked(members, key);
        return config.whenLost === 'move' ? all : all.slice(0, 1);
      }
      case 'lock':
      case 'replicated':
        return [...ranked(near, key), ...ranked(far, key)];
    }
  }

  function take(
    key: string,
    cost: number,
    deadlineAt: Micros | undefined,
    done: (answer: LimitAnswer) => void,
  ): void {
    const until = Math.min(host.now() + config.timeoutUs, deadlineAt ?? Number.POSITIVE_INFINITY);
    const asked = candidates(key);
    let turn = 0;
    const byPolicy = () => {
      const allowed = config.whenUnreachable === 'allow';
      (allowed ? allowedByPolicy : refusedByPolicy).add();
      // Refused, one comes back when the limiter may be there again.
      const retryAfterUs = allowed ? 0 : config.timeoutUs;
      done({ allowed, retryAfterUs, remaining: 0, by: 'policy' });
    };
    const attempt = () => {
      const leftUs = until - host.now();
      const member = asked[turn++];
      if (leftUs <= 0 || !member) return byPolicy();
      const to = { node: member.id, port: limiterPort };
      const id = calls.open(to, leftUs, (answer: Answer<VerdictMessage>) => {
        // Only who certainly did not count may be passed over: else the units would be taken twice.
        if (!answer.ok) return answer.certain ? attempt() : byPolicy();
        const { allowed, waitUs, remaining } = answer.reply;
        if (allowed === null) return byPolicy();
        const retryAfterUs = waitUs ?? Number.POSITIVE_INFINITY;
        done({ allowed, retryAfterUs, remaining, by: 'limiter' });
      });
      host.send(to, { type: 'take', id, key, cost } satisfies Take);
    };
    attempt();
  }

  return {
    api: { take, home: (key) => candidates(key)[0]! },
    message(_from, message) {
      const reply = message as LimiterMessage;
      if (reply.type === 'verdict') calls.settle(reply.id, reply);
    },
    refused: (_to, message) => calls.refused((message as Take).id),
    disconnected: (node: NodeId) => calls.disconnected(node),
  };
}
