/**
 * Calls over a path: from one caller to the instances of a service, by its policy. The stages, in
 * their fixed order:
 *
 *   deadline → retry (budget, backoff) → split by release → balance → attempt timeout → send
 *
 * The gateway and the fetcher that a service binding gives both stand on this. Each call ends
 * exactly once, whatever the network does.
 */
import type { Address, Host, Micros, NodeId } from '../host/host.ts';
import { type WebCancel, type WebReply, type WebRequest, webPort } from '../host/web.ts';
import type { Random } from '../kit/random.ts';
import { backoffUs } from '../parts/backoff.ts';
import { Balancer, type Target } from '../parts/balance.ts';
import { RetryBudget } from '../parts/retry-budget.ts';
import type { Answer, Calls } from './calls.ts';
import type { PathPolicy } from './policy.ts';

/** Who serves, by release, and how traffic is split between the releases. Plain data. */
export type Targets = {
  readonly releases: Readonly<Record<string, readonly NodeId[]>>;
  readonly traffic: Readonly<Record<string, number>>;
};

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

interface Instance extends Target {
  readonly address: Address;
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
  readonly #policy: PathPolicy;
  readonly #calls: Calls<WebReply>;
  readonly #balancer: Balancer<Instance>;
  readonly #budget: RetryBudget;
  readonly #releases: ReadonlyMap<string, readonly Instance[]>;
  readonly #split: Random;
  readonly #jitter: Random;
  readonly #declared: Targets['traffic'];
  #traffic: readonly (readonly [release: string, upTo: number])[] = [];
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
    this.#policy = policy;
    this.#calls = calls;
    this.#balancer = new Balancer(policy.balance, random.fork('balance'));
    this.#budget = new RetryBudget({ ratio: policy.budgetRatio, reserve: policy.budgetReserve });
    this.#split = random.fork('split');
    this.#jitter = random.fork('backoff');
    this.#releases = new Map(
      Object.entries(targets.releases).map(([release, nodes]) => [
        release,
        nodes.map((node) => ({ address: { node, port: webPort }, open: 0, avoidUntil: 0 })),
      ]),
    );
    this.#declared = targets.traffic;
    this.shift(targets.traffic);
  }

  /**
   * Changes the traffic split of a running system. Releases not named get nothing; when none is
   * named, what the design declares holds again.
   */
  shift(traffic: Readonly<Record<string, number>>): void {
    const shares: (readonly [string, number])[] = [];
    let upTo = 0;
    const wanted = Object.keys(traffic).length > 0 ? traffic : this.#declared;
    for (const [release, share] of Object.entries(wanted)) {
      if (share <= 0 || !this.#releases.get(release)?.length) continue;
      upTo += share;
      shares.push([release, upTo]);
    }
    this.#traffic = shares;
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
    const instance = this.#balancer.pick(this.#instances(), now, call.failedAt);
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

  #instances(): readonly Instance[] {
    const shares = this.#traffic;
    if (shares.length === 0) return [];
    if (shares.length === 1) return this.#releases.get(shares[0]![0])!;
    const drawn = this.#split.next() * shares[shares.length - 1]![1];
    const share = shares.find(([, upTo]) => drawn < upTo) ?? shares[shares.length - 1]!;
    return this.#releases.get(share[0])!;
  }
}
