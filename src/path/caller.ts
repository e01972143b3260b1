/**
 * Calls over a path: from one caller to the instances of a service, by its policy. The stages, in
 * their fixed order:
 *
 *   deadline → retry (budget, backoff) → split by release → balance → attempt timeout → send
 *
 * The gateway and the fetcher that a service binding gives both stand on this. Each call ends
 * exactly once, whatever the network does.
 */
import type { ToProgram } from '../host/control.ts';
import type { Host, Micros } from '../host/host.ts';
import type { Targets } from '../host/path.ts';
import type { WebCancel, WebMessage, WebReply, WebRequest } from '../host/web.ts';
import type { Random } from '../kit/random.ts';
import { backoffUs } from '../parts/backoff.ts';
import { RetryBudget } from '../parts/retry-budget.ts';
import { balancerOf } from './balancers.ts';
import type { Answer, Calls } from './calls.ts';
import type { Instance } from './instance.ts';
import type { PathPolicy } from './policy.ts';
import { Roster } from './roster.ts';

export type { Member, Targets } from '../host/path.ts';

/** Config of the half of a service that stands at its caller. */
export type FetcherConfig = { readonly path: PathPolicy; readonly targets: Targets };

/** What a caller asks for: a request without what each hop adds. */
export type Asked = Omit<WebRequest, 'type' | 'id' | 'timeoutUs'>;

/** Field by field, as below: these are made for every request, and a spread costs many times as much. */
export function askedOf(
  { method, url, headers, body }: Pick<Asked, 'method' | 'url' | 'headers' | 'body'>,
  ip: string,
  session: string | undefined,
): Asked {
  return { method, url, headers, body, ip, session };
}

export function requestOf(id: number, asked: Asked, timeoutUs: Micros): WebRequest {
  const { method, url, headers, body, ip, session } = asked;
  return { type: 'request', id, method, url, headers, body, ip, session, timeoutUs };
}

export type Outcome =
  | { readonly ok: true; readonly reply: WebReply }
  | {
      readonly ok: false;
      readonly why: 'timeout' | 'refused' | 'reset' | 'no-target';
      readonly certain: boolean;
    };

/** What callers of a service are told of it while the system runs. */
export type ForCallers = Extract<ToProgram, { readonly service: string }>;

export function isForCallers(message: ToProgram | WebMessage): message is ForCallers {
  return 'service' in message;
}

interface Ongoing {
  readonly asked: Asked;
  readonly until: Micros;
  readonly done: (outcome: Outcome) => void;
  attempt: number;
  failedAt: Instance | undefined;
  /** An attempt may have taken effect. */
  doubted: boolean;
  /** The attempt that is waited for. */
  current: { readonly id: number; readonly instance: Instance } | undefined;
  givenUp: boolean;
}

/** How long a target that refused or broke off is passed over while there are others. */
const avoidUs = 500_000;

/** Replies of an intermediary that may pass by themselves: bad gateway, unavailable, gateway timeout. */
function mayPass(status: number): boolean {
  return status >= 502 && status <= 504;
}

const idempotent = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE', 'TRACE']);

export class Caller {
  readonly #host: Host;
  readonly #calls: Calls<WebReply>;
  readonly #random: Random;
  readonly #jitter: Random;
  readonly #roster: Roster;
  /** What the design says. */
  readonly #declared: PathPolicy;
  #policy: PathPolicy;
  #budget: RetryBudget;
  retryCount = 0;

  /**
   * `calls` may be shared between the callers of one program: then ids are unique in it and its
   * handlers settle them there.
   */
  constructor(options: {
    readonly host: Host;
    readonly calls: Calls<WebReply>;
    readonly policy: PathPolicy;
    readonly targets: Targets;
    readonly random: Random;
  }) {
    const { host, calls, policy, targets, random } = options;
    this.#host = host;
    this.#calls = calls;
    this.#random = random;
    this.#jitter = random.fork('backoff');
    this.#declared = policy;
    this.#policy = policy;
    this.#budget = budgetOf(policy);
    this.#roster = new Roster({
      targets,
      makePicker: balancerOf(policy, random),
      random: random.fork('split'),
    });
  }

  /**
   * Who serves from now on. Calls that are open where nobody serves any more may end there; those that
   * stay keep what is open and what is known of their health.
   */
  retarget(targets: Targets): void {
    this.#roster.retarget(targets, this.#host.now());
  }

  /** Another policy in a running system, for calls that begin from now on; null: what the design declares. */
  adopt(policy: PathPolicy | null): void {
    const before = this.#policy;
    const next = policy ?? this.#declared;
    this.#policy = next;
    if (next.balance !== before.balance) this.#roster.rebalance(balancerOf(next, this.#random));
    const hasBudget =
      next.budgetRatio === before.budgetRatio && next.budgetReserve === before.budgetReserve;
    if (!hasBudget) this.#budget = budgetOf(next);
  }

  /**
   * Changes the traffic split of a running system. Releases not named get nothing; when none is
   * named, what the design declares holds again.
   */
  shift(traffic: Targets['traffic']): void {
    this.#roster.shift(traffic);
  }

  /** What who may command (`mayControl`) says to callers. */
  obey(message: ForCallers): void {
    if (message.type === 'shift') this.shift(message.traffic);
    else if (message.type === 'retarget') this.retarget(message.targets);
    else this.adopt(message.policy as PathPolicy | null);
  }

  /**
   * `deadlineAt` is on this node's `now()`; the policy's own timeout holds besides. What it returns
   * gives the call up: `done` is not called any more, and whoever works on it is told.
   */
  call(asked: Asked, deadlineAt: Micros | undefined, done: (outcome: Outcome) => void): () => void {
    const byPolicy = this.#host.now() + this.#policy.timeoutUs;
    const until = deadlineAt === undefined ? byPolicy : Math.min(byPolicy, deadlineAt);
    this.#budget.earn();
    const call: Ongoing = {
      asked,
      until,
      done,
      attempt: 1,
      failedAt: undefined,
      doubted: false,
      current: undefined,
      givenUp: false,
    };
    this.#attempt(call);
    return () => this.#giveUp(call);
  }

  #giveUp(call: Ongoing): void {
    call.givenUp = true;
    const { current } = call;
    if (!current) return;
    this.#calls.abandon(current.id);
    current.instance.open--;
    this.#cancel(current.instance, current.id);
  }

  #cancel(instance: Instance, id: number): void {
    this.#host.send(instance.address, { type: 'cancel', id } satisfies WebCancel);
  }

  #attempt(call: Ongoing): void {
    if (call.givenUp) return;
    const host = this.#host;
    const now = host.now();
    const left = call.until - now;
    if (left <= 0) return this.#fail(call, 'timeout');
    const instance = this.#roster.pick(now, call.failedAt, undefined);
    if (!instance) return this.#fail(call, 'no-target');
    const timeoutUs = Math.min(left, this.#policy.attemptTimeoutUs);
    instance.open++;
    const id = this.#calls.open(instance.address, timeoutUs, (answer) => {
      instance.open--;
      call.current = undefined;
      if (answer.ok && !mayPass(answer.reply.status)) return call.done(answer);
      if (!answer.ok && answer.why === 'timeout') this.#cancel(instance, id);
      else if (!answer.ok) {
        instance.avoidUntil = host.now() + avoidUs;
      }
      this.#retry(call, instance, answer);
    });
    call.current = { id, instance };
    host.send(instance.address, requestOf(id, call.asked, timeoutUs));
  }

  /** Tries again where that is safe, worth it and within the budget; otherwise the answer stands. */
  #retry(call: Ongoing, failedAt: Instance, answer: Answer<WebReply>): void {
    const host = this.#host;
    const certain = !answer.ok && answer.certain;
    if (!certain) call.doubted = true;
    const waitUs = backoffUs(this.#policy, call.attempt, this.#jitter);
    const again =
      (certain || idempotent.has(call.asked.method)) &&
      call.attempt < this.#policy.attempts &&
      host.now() + waitUs < call.until &&
      this.#budget.spend();
    if (!again) return answer.ok ? call.done(answer) : this.#fail(call, answer.why);
    call.attempt++;
    call.failedAt = failedAt;
    this.retryCount++;
    host.after(waitUs, () => this.#attempt(call));
  }

  #fail(call: Ongoing, why: 'timeout' | 'refused' | 'reset' | 'no-target'): void {
    call.done({ ok: false, why, certain: !call.doubted });
  }
}

function budgetOf({ budgetRatio, budgetReserve }: PathPolicy): RetryBudget {
  return new RetryBudget({ ratio: budgetRatio, reserve: budgetReserve });
}
