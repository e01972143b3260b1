/**
 * The proxy beside an instance. What the service calls goes out through it, what calls the service comes in
 * through it; the service knows nothing of that, nor of who else there is.
 *
 *   m1 ──▶ sidecar ── policy, balance, telemetry ──▶ sidecar ──▶ m2
 *             │ sync: version, counts   version: policies, splits
 *             └────────────▶ control plane
 *
 * Without the control plane it goes on with what it was last told.
 */
import { mayControl, type ToProgram } from '../../../host/control.ts';
import type { ProgramCode } from '../../../host/declaration.ts';
import type { Address, Handlers, Host } from '../../../host/host.ts';
import {
  isWebFailure,
  type WebMessage,
  type WebReply,
  type WebRequest,
  webPort,
} from '../../../host/web.ts';
import { Caller, isForCallers, type Outcome, requestOf } from '../../../path/caller.ts';
import { Calls } from '../../../path/calls.ts';
import { registrationAt, wayTo } from '../../../path/directory.ts';
import { Inbox } from '../../../path/inbox.ts';
import { intermediary, Replies } from '../../../path/intermediary.ts';
import { sendWeb } from '../../../path/streaming.ts';
import { Admission } from './admission.ts';
import { controlPort, type SidecarConfig } from './config.ts';
import { isMesh, type MeshMessage } from './messages.ts';
import type { Pair, Version } from './versions.ts';

interface Held {
  giveUp: () => void;
  isGone: boolean;
}

export function sidecar(
  host: Host,
  config: SidecarConfig,
  code: ProgramCode,
): Handlers<WebMessage | ToProgram | MeshMessage> {
  const outgoing = new Calls<WebReply>(host, { failed: isWebFailure });
  const callers = new Map(
    Object.entries(config.routes).map(([service, { path, targets, backup }]) => {
      const random = host.random.fork(service);
      const options = { host, calls: outgoing, service, policy: path, targets, backup, random };
      return [service, new Caller(options)];
    }),
  );
  const ways = new Map(
    Object.entries(config.routes).map(([service, { targets, directory: place }]) => {
      const caller = callers.get(service)!;
      const { traffic } = targets;
      return [service, wayTo({ host, caller, service, traffic, place, open: code.open })];
    }),
  );
  const registration = registrationAt(code.open, config.registration);
  const admission = config.identity === 'required' ? new Admission(host, config) : undefined;
  const strangers = host.meter.counter('strangers');
  const forbidden = host.meter.counter('forbidden');
  const requests = host.meter.counter('requests');
  const errors = host.meter.counter('errors');
  const latency = host.meter.histogram('latency');
  const versions = host.meter.gauge('version');
  versions.set(0);
  const open = new Inbox<Held>();
  const own: Address = { node: host.self, port: webPort };
  const control: Address = { node: config.control, port: controlPort };
  let pairs: Record<string, { calls: number; errors: number }> = {};
  let held: Version = { version: 0, change: {} };
  const replies = new Replies(host, left);
  let whenIdle: (() => void) | undefined;

  function accept(from: Address, request: WebRequest): void {
    if (!open.isNew(from, request.id)) return;
    requests.add();
    const isOutbound = from.node === host.self && from.port !== host.address.port;
    if (whenIdle && !isOutbound) {
      replies.send(from, request.id, draining);
      return request.inlet?.stream.reset();
    }
    const visit: Held = { giveUp: () => {}, isGone: false };
    open.hold(from, request.id, visit);
    const startedAt = host.now();
    host.cpu.charge(config.costUs, () => {
      if (visit.isGone) return;
      const done = (outcome: Outcome): void => {
        latency.record(host.now() - startedAt);
        if (!outcome.ok || isWebFailure(outcome.reply)) errors.add();
        open.take(from, request.id);
        replies.send(from, request.id, outcome.ok ? outcome.reply : failure(outcome));
        left();
      };
      // What calls a service has its door here, under that service's name: an address may say another.
      visit.giveUp = isOutbound
        ? introduced(from.port, request, startedAt, done)
        : admitted(from, request, startedAt, done);
    });
  }

  /** Shows who it is, where that is asked for. */
  function introduced(
    service: string,
    request: WebRequest,
    startedAt: number,
    done: (outcome: Outcome) => void,
  ): () => void {
    if (!admission) return send(service, request, startedAt, done);
    let giveUp = () => {};
    const forget = admission.show(request, (shown) => {
      if (shown) giveUp = send(service, shown, startedAt, done);
      else done({ ok: false, why: 'no-target', certain: true });
    });
    return () => {
      forget();
      giveUp();
    };
  }

  /** Those who may come in; whether an instance is alive anybody may ask. */
  function admitted(
    from: Address,
    request: WebRequest,
    startedAt: number,
    done: (outcome: Outcome) => void,
  ): () => void {
    const isProbe = request.url === '*' && request.method === 'OPTIONS';
    if (!admission || isProbe) return bring(request, startedAt, done);
    let giveUp = () => {};
    const forget = admission.check(from, request, (verdict, plain) => {
      if (verdict === 'come in') {
        giveUp = bring(plain, startedAt, done);
        return;
      }
      (verdict === 403 ? forbidden : strangers).add();
      request.inlet?.stream.reset();
      done({ ok: true, reply: { ...turnedAway[verdict], type: 'reply', id: request.id } });
    });
    return () => {
      forget();
      giveUp();
    };
  }

  /** To another service, by the policy of that path. */
  function send(
    service: string,
    request: WebRequest,
    startedAt: number,
    done: (outcome: Outcome) => void,
  ): () => void {
    const way = ways.get(service);
    if (!way) {
      done({ ok: false, why: 'no-target', certain: true });
      return () => {};
    }
    const deadlineAt = request.timeoutUs === undefined ? undefined : startedAt + request.timeoutUs;
    return way.call(request, deadlineAt, (outcome) => {
      count(service, outcome);
      done(outcome);
    });
  }

  /** To the service itself, once: who called has the policy. */
  function bring(
    request: WebRequest,
    startedAt: number,
    done: (outcome: Outcome) => void,
  ): () => void {
    const leftUs = (request.timeoutUs ?? longestUs) - (host.now() - startedAt);
    if (leftUs <= 0) {
      done({ ok: false, why: 'timeout', certain: true });
      return () => {};
    }
    const id = outgoing.open(own, leftUs, done, false);
    const body = sendWeb(host, own, requestOf(id, request, leftUs), (how) => {
      if (how === 'refused') outgoing.refused(id);
      else if (how !== 'done') outgoing.lost(id);
    });
    return () => {
      outgoing.abandon(id);
      body?.reset();
      host.send(own, { type: 'cancel', id } satisfies WebMessage);
    };
  }

  function count(service: string, outcome: Outcome): void {
    pairs[service] ??= { calls: 0, errors: 0 };
    const pair = pairs[service];
    pair.calls++;
    if (!outcome.ok || isWebFailure(outcome.reply)) pair.errors++;
  }

  function abandon(visit: Held): void {
    visit.isGone = true;
    visit.giveUp();
    left();
  }

  function left(): void {
    if (open.count === 0 && replies.flowing === 0) whenIdle?.();
  }

  function sync(): void {
    const told: Readonly<Record<string, Pair>> = pairs;
    pairs = {};
    const { version } = held;
    host.send(control, {
      type: 'sync',
      service: config.service,
      version,
      pairs: told,
    } satisfies MeshMessage);
    host.after(config.syncUs, sync);
  }

  function take(version: Version): void {
    if (version.version === held.version) return;
    held = version;
    versions.set(version.version);
    host.meter.note(`version ${version.version} of the mesh`);
    for (const [service, caller] of callers) {
      const { policy, traffic } = version.change[service] ?? {};
      caller.adopt(policy ?? null);
      caller.shift(traffic ?? {});
    }
  }

  // Sidecars that start together would ask together.
  host.after(host.random.fork('sync').below(config.syncUs), sync);

  function other(from: Address, message: MeshMessage | ToProgram): void {
    if (isMesh(message)) {
      if (from.node !== config.control) return;
      if (message.type === 'version') take(message);
      else if (message.type === 'identity') admission?.take(message);
    } else if (isForCallers(message) && mayControl(from, host.self)) {
      callers.get(message.service)?.obey(message);
    }
  }

  return {
    ...intermediary({ calls: outgoing, open, accept, abandon, other }),
    drain(done) {
      // Out of the lists first, as the instance: until nobody calls any more both go on serving.
      const refuse = (): void => {
        whenIdle = done;
        left();
      };
      if (registration) registration.leave(refuse);
      else if (config.lingerUs > 0) host.after(config.lingerUs, refuse);
      else refuse();
    },
  };
}

/** For who gave no deadline. */
const longestUs = 60_000_000;

const plain = ['content-type', 'text/plain'];
const turnedAway = {
  401: { status: 401, headers: plain, body: 'the mesh does not know who calls' },
  403: { status: 403, headers: plain, body: 'not allowed by the mesh' },
  503: { status: 503, headers: [...plain, 'retry-after', '1'], body: 'no identity yet' },
} as const;
const draining = { status: 503, headers: plain, body: 'draining' };

function failure({ why, retryAfterUs }: Outcome & { ok: false }): Omit<WebReply, 'type' | 'id'> {
  if (why === 'timeout') return { status: 504, headers: plain, body: why };
  if (why === 'reset') return { status: 502, headers: plain, body: why };
  const seconds = String(Math.max(1, Math.ceil((retryAfterUs ?? 0) / 1_000_000)));
  const status = why === 'paced' ? 429 : 503;
  return { status, headers: [...plain, 'retry-after', seconds], body: why };
}
