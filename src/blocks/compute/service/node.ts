/**
 * One instance of a service: takes requests on port `web`, charges what they cost, lets the user's
 * handler (or the model) answer, and sheds what it can no longer hold.
 *
 *   caller ──request──▶ instance ─ charge cost ─▶ handler(request, env) ─▶ reply ──▶ caller
 */
import { type Agent, agentPort } from '../../../host/agent.ts';
import type { ProgramCode } from '../../../host/declaration.ts';
import type { Address, Handlers, Host, Micros } from '../../../host/host.ts';
import type { Inlet } from '../../../host/stream.ts';
import {
  asksIfAlive,
  isTunnel,
  isUpgrade,
  type WebMessage,
  type WebReply,
  type WebRequest,
} from '../../../host/web.ts';
import { configure } from '../../../kit/config.ts';
import type { ServerSocket } from '../../../parts/web.ts';
import { registrationAt } from '../../../path/directory.ts';
import { Inbox } from '../../../path/inbox.ts';
import { isWeb, sendWeb, takeWeb } from '../../../path/streaming.ts';
import { Admission } from './admission.ts';
import { charging } from './charge.ts';
import { coded, type ServiceCode } from './coded.ts';
import { type InstanceConfig, socketsKnobs } from './config.ts';
import { giveUp, isMoot, type Job } from './jobs.ts';
import { modelled } from './modelled.ts';
import { Sockets } from './sockets.ts';
import { beEnd } from './tunnel.ts';

/** Answers one job, once; without a reply when it was moot before the work on it began. */
export type Worker = (job: Job, done: (reply?: ReplyParts) => void) => void;

export interface ReplyParts {
  readonly status: number;
  readonly headers: readonly string[];
  readonly body: Uint8Array | string | null;
  readonly inlet?: Inlet | undefined;
  /** It becomes a web socket. */
  readonly socket?: ServerSocket | undefined;
}

const socketsDefault = configure('sockets', socketsKnobs, {}).config;

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
  const limited = config.limit && host.meter.counter('limited');
  const latency = host.meter.histogram('latency');
  const queue = host.meter.gauge('queue');
  const admission = Admission.of(host, config);
  const work: Worker = config.steps
    ? modelled(host, config, code, (waitedUs) => admission?.started(host.now(), waitedUs))
    : coded(host, config, code, code.declaration.code as ServiceCode);
  const charge = config.steps ? undefined : charging(host, config.cost, 'cost');
  const agent = code.open.get(agentPort)?.api as Agent | undefined;
  const registration = registrationAt(code.open, config.registration);
  let whenIdle: (() => void) | undefined;
  const sockets = new Sockets({
    host,
    config: config.sockets ?? socketsDefault,
    run: (what, start) => code.run(what, start),
    charge: config.steps ? undefined : charging(host, config.cost, 'cost of messages'),
    idle: doneIfIdle,
  });

  function accept(from: Address, request: WebRequest): void {
    if (asksIfAlive(request)) return beAlive(from, request.id);
    if (!jobs.isNew(from, request.id)) return;
    requests.add();
    if (isTunnel(request) && !whenIdle) {
      return beEnd(host, request, (reply) => answer(from, request.id, reply));
    }
    const now = host.now();
    const isFull = jobs.count >= config.openMax || (sockets.isFull && isUpgrade(request));
    const waitUs = isFull || whenIdle ? 0 : (admission?.limit(now) ?? 0);
    if (waitUs > 0) {
      limited?.add();
      answer(from, request.id, slowDown(waitUs));
      return request.inlet?.stream.reset();
    }
    if (isFull || whenIdle || admission?.enter(request, now) === false) {
      shed.add();
      answer(from, request.id, refusal(whenIdle ? 'draining' : 'too busy'));
      return request.inlet?.stream.reset();
    }
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
    count();
    if (charge) charge(1, (costUs) => begin(job, costUs));
    else begin(job, 0);
  }

  /** A health check: whoever could take a request says so, at no cost. */
  function beAlive(from: Address, id: number): void {
    const isBusy = jobs.count >= config.openMax;
    const isWell = !isBusy && !whenIdle;
    answer(from, id, isWell ? alive : refusal(whenIdle ? 'draining' : 'too busy'));
  }

  function begin(job: Job, costUs: Micros): void {
    const now = host.now();
    // A model has its own line, and says itself when its turn comes.
    if (!config.steps) admission?.started(now, now - job.arrivedAt - costUs);
    if (isMoot(job, now)) return drop(job);
    work(job, (reply) => {
      if (!reply) return drop(job);
      if (admission) admission.leave(host.now(), host.now() - job.arrivedAt, outcomeOf(reply));
      if (job.abandoned) abandoned.add();
      if (reply.status >= 500) errors.add();
      const tookUs = host.now() - job.arrivedAt;
      latency.record(tookUs);
      agent?.served(tookUs, reply.status >= 500);
      if (reply.socket) return join(job, reply.socket);
      if (reply.inlet) return flow(job, reply);
      answer(job.from, job.request.id, reply);
      leave(job);
    });
  }

  /** The request is held until the body is through: it is still being answered. */
  function flow(job: Job, { status, headers, inlet }: ReplyParts): void {
    const { id } = job.request;
    const reply: WebReply = { type: 'reply', id, status, headers, body: null, inlet };
    sendWeb(host, job.from, reply, (how) => {
      if (how !== 'done') giveUp(job);
      leave(job);
    });
  }

  /** From here on its stream carries messages, and the request is answered. */
  function join(job: Job, socket: ServerSocket): void {
    const { request, from } = job;
    if (!request.inlet || !isUpgrade(request)) {
      errors.add();
      answer(from, request.id, noUpgrade);
      return leave(job);
    }
    const headers = socket.protocol === '' ? [] : ['sec-websocket-protocol', socket.protocol];
    answer(from, request.id, { status: 101, headers, body: null });
    release(job);
    sockets.join(request.inlet, socket, `socket ${request.url}`);
  }

  function drop(job: Job): void {
    abandoned.add();
    admission?.leave(host.now(), host.now() - job.arrivedAt, 'failed');
    leave(job);
  }

  function leave(job: Job): void {
    // What of a body nobody has read by now, nobody will.
    job.request.inlet?.stream.reset();
    release(job);
  }

  function release(job: Job): void {
    jobs.take(job.from, job.request.id);
    count();
    doneIfIdle();
  }

  function doneIfIdle(): void {
    if (jobs.count === 0 && sockets.count === 0) whenIdle?.();
  }

  function count(): void {
    queue.set(jobs.count);
    agent?.holds(jobs.count);
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
    stream(from, opening, stream) {
      if (!isWeb(opening) || opening.type !== 'request') return undefined;
      const { message, events } = takeWeb(opening, stream);
      accept(from, message);
      return events;
    },
    disconnected(node) {
      for (const job of jobs.heldFor(node)) giveUp(job);
    },
    drain(done) {
      // Out of the lists first: until nobody calls any more it goes on serving.
      const refuse = (): void => {
        whenIdle = done;
        sockets.closeAll();
        doneIfIdle();
      };
      if (registration) registration.leave(refuse);
      else if (config.lingerUs > 0) host.after(config.lingerUs, refuse);
      else refuse();
    },
  };
}

const alive: ReplyParts = { status: 200, headers: [], body: null };

const noUpgrade: ReplyParts = {
  status: 500,
  headers: ['content-type', 'text/plain'],
  body: 'a web socket was answered to a request that asked for none',
};

/** What it says about load: a mistake of the caller says nothing. */
function outcomeOf({ status }: ReplyParts): 'ok' | 'failed' | 'ignored' {
  if (status >= 500) return 'failed';
  return status >= 400 ? 'ignored' : 'ok';
}

/** What is left of the limit is not told: it is everybody's, so nobody can plan with it. */
function slowDown(waitUs: Micros): ReplyParts {
  const seconds = String(Math.ceil(waitUs / 1_000_000));
  const headers = ['content-type', 'text/plain', 'retry-after', seconds];
  return { status: 429, headers, body: 'this instance takes no more for now' };
}

function refusal(why: string): ReplyParts {
  return { status: 503, headers: ['content-type', 'text/plain', 'retry-after', '1'], body: why };
}
