/**
 * One instance of a service: takes requests on port `web`, charges what they cost, lets the user's
 * handler (or the model) answer, and sheds what it can no longer hold.
 *
 *   caller ──request──▶ instance ─ charge cost ─▶ handler(request, env) ─▶ reply ──▶ caller
 */
import type { ProgramCode } from '../../../host/declaration.ts';
import type { Address, Handlers, Host } from '../../../host/host.ts';
import type { WebMessage, WebReply, WebRequest } from '../../../host/web.ts';
import { Inbox } from '../../../path/inbox.ts';
import { charging } from './charge.ts';
import { coded, type ServiceCode } from './coded.ts';
import type { InstanceConfig } from './config.ts';
import { giveUp, isMoot, type Job } from './jobs.ts';
import { modelled } from './modelled.ts';

/** Answers one job, once; without a reply when it was moot before the work on it began. */
export type Worker = (job: Job, done: (reply?: ReplyParts) => void) => void;

export interface ReplyParts {
  readonly status: number;
  readonly headers: readonly string[];
  readonly body: Uint8Array | string | null;
}

export function instance(
  host: Host,
  config: InstanceConfig,
  code: ProgramCode,
): Handlers<WebMessage> {
  const jobs = new Inbox<Job>();
  const requests = host.meter.counter('requests');
  const errors = host.meter.counter('errors');
  const abandoned = host.meter.counter('abandoned');
  const shed = host.meter.counter('shed');
  const latency = host.meter.histogram('latency');
  const queue = host.meter.gauge('queue');
  const work: Worker = config.steps
    ? modelled(host, config, code)
    : coded(host, config, code, code.declaration.code as ServiceCode);
  const charge = config.steps ? undefined : charging(host, config.cost, 'cost');
  let whenIdle: (() => void) | undefined;

  function accept(from: Address, request: WebRequest): void {
    if (!jobs.isNew(from, request.id)) return;
    requests.add();
    if (jobs.count >= config.openMax || whenIdle) {
      shed.add();
      answer(from, request.id, refusal(whenIdle ? 'draining' : 'too busy'));
      return;
    }
    const now = host.now();
    const deadlineAt = request.timeoutUs === undefined ? undefined : now + request.timeoutUs;
    const job: Job = {
      from,
      request,
      arrivedAt: now,
      deadlineAt,
      abandoned: false,
      served: undefined,
    };
    jobs.hold(from, request.id, job);
    queue.set(jobs.count);
    if (charge) charge(1, () => begin(job));
    else begin(job);
  }

  function begin(job: Job): void {
    if (isMoot(job, host.now())) return drop(job);
    work(job, (reply) => {
      if (!reply) return drop(job);
      if (job.abandoned) abandoned.add();
      if (reply.status >= 500) errors.add();
      latency.record(host.now() - job.arrivedAt);
      answer(job.from, job.request.id, reply);
      leave(job);
    });
  }

  function drop(job: Job): void {
    abandoned.add();
    leave(job);
  }

  function leave(job: Job): void {
    jobs.take(job.from, job.request.id);
    queue.set(jobs.count);
    if (jobs.count === 0) whenIdle?.();
  }

  function answer(to: Address, id: number, reply: ReplyParts): void {
    host.send(to, {
      type: 'reply',
      id,
      status: reply.status,
      headers: reply.headers,
      body: reply.body,
    } satisfies WebReply);
  }

  return {
    message(from, message) {
      if (message.type === 'request') accept(from, message);
      else if (message.type === 'cancel') {
        const job = jobs.get(from, message.id);
        if (job) giveUp(job);
      }
    },
    disconnected(node) {
      for (const job of jobs.heldFor(node)) giveUp(job);
    },
    drain(done) {
      whenIdle = done;
      if (jobs.count === 0) done();
    },
  };
}

function refusal(why: string): ReplyParts {
  return { status: 503, headers: ['content-type', 'text/plain', 'retry-after', '1'], body: why };
}
