/**
 * One call's pursuit of an answer: attempts one after the other (retry), or a second beside a late first one
 * (hedge). Each attempt goes to an instance that the balancer picks, its pace allows and its breaker lets pass, for
 * no longer than the attempt timeout and what is left until the deadline.
 *
 *   begin ──▶ attempt ──fine──▶ end
 *                │  └──failed──▶ repeatable, within budget and deadline? pause, attempt : end
 *                └──late──▶ second attempt elsewhere; whichever answers first counts
 *
 * A call ends exactly once: `end` is called, or `stop` was.
 */
import type { Counter, Host, Micros } from '../host/host.ts';
import { isWebFailure, type WebCancel, type WebReply, type WebRequest } from '../host/web.ts';
import type { Random } from '../kit/random.ts';
import { backoffUs } from '../parts/backoff.ts';
import { Hedge } from '../parts/hedge.ts';
import { RetryBudget } from '../parts/retry-budget.ts';
import type { Alarms } from './alarms.ts';
import type { Answer, Calls } from './calls.ts';
import { type Chaos, injected } from './chaos.ts';
import type { Instance } from './instance.ts';
import { type Attempt, type Ongoing, type Outcome, requestOf, type Why } from './ongoing.ts';
import type { Paces } from './pace.ts';
import { isSame, type PathPolicy, type ShadowPolicy } from './policy.ts';
import type { Roster } from './roster.ts';
import { sendWeb } from './streaming.ts';
import type { Watch } from './watch.ts';

/** How long a target that refused or broke off is passed over while there are others. */
const avoidUs = 500_000;

const idempotent = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE', 'TRACE']);

export interface PursuitOptions {
  readonly host: Host;
  readonly calls: Calls<WebReply>;
  readonly service: string;
  readonly policy: PathPolicy;
  readonly roster: Roster;
  readonly watch: Watch | undefined;
  readonly paces: Paces | undefined;
  readonly alarms: Alarms;
  readonly jitter: Random;
  readonly end: (call: Ongoing, outcome: Outcome, by?: Instance) => void;
}

/** What the last pick ended in, where no instance was found. */
type NotFound = 'no-target' | 'open' | 'paced';

export class Pursuit {
  readonly #host: Host;
  readonly #calls: Calls<WebReply>;
  readonly #service: string;
  readonly #roster: Roster;
  readonly #alarms: Alarms;
  readonly #jitter: Random;
  readonly #shadows: Random;
  readonly #end: PursuitOptions['end'];
  #policy: PathPolicy;
  #watch: Watch | undefined;
  #paces: Paces | undefined;
  #budget: RetryBudget;
  #hedge: Hedge | undefined;
  #hedged: Counter | undefined;
  #chaos: Chaos | undefined;
  /** Of the instance that was found last. */
  #permit = 0;
  retryCount = 0;

  constructor(options: PursuitOptions) {
    const { policy } = options;
    this.#host = options.host;
    this.#calls = options.calls;
    this.#service = options.service;
    this.#policy = policy;
    this.#roster = options.roster;
    this.#watch = options.watch;
    this.#paces = options.paces;
    this.#alarms = options.alarms;
    this.#jitter = options.jitter;
    this.#shadows = options.jitter.fork('shadow');
    this.#end = options.end;
    this.#budget = budgetOf(policy);
    this.#hedge = this.#hedging(policy);
  }

  /** From the next attempt on. What did not change keeps its memory. */
  adopt(policy: PathPolicy, watch: Watch | undefined, paces: Paces | undefined): void {
    const before = this.#policy;
    this.#policy = policy;
    this.#watch = watch;
    this.#paces = paces;
    const isSameBudget =
      policy.budgetRatio === before.budgetRatio && policy.budgetReserve === before.budgetReserve;
    if (!isSameBudget) this.#budget = budgetOf(policy);
    if (!isSame(policy.hedge, before.hedge)) this.#hedge = this.#hedging(policy);
  }

  disturb(chaos: Chaos | undefined): void {
    this.#chaos = chaos;
  }

  #hedging({ hedge }: PathPolicy): Hedge | undefined {
    if (!hedge) return undefined;
    this.#hedged = this.#host.meter.counter(`hedges ${this.#service}`);
    return new Hedge(hedge);
  }

  /** A call is there: it earns its share of a retry. */
  earn(): void {
    this.#budget.earn();
  }

  begin(call: Ongoing): void {
    this.#attempt(call);
    if (this.#policy.shadow && call.current) this.#copy(call, this.#policy.shadow);
    if (this.#hedge && call.current) this.#watchTheTime(call, this.#hedge);
  }

  /** Given up: nothing is waited for any more, and whoever works on it is told. */
  stop(call: Ongoing): void {
    call.pause?.cancel();
    this.#disarm(call);
    if (call.current) this.#abandon(call.current);
    if (call.second) this.#abandon(call.second);
    call.current = undefined;
    call.second = undefined;
  }

  #attempt(call: Ongoing): void {
    const now = this.#host.now();
    if (call.until <= now) return this.#fail(call, 'timeout');
    const instance = this.#find(call, call.failedAt, now);
    if (typeof instance === 'string') return this.#fail(call, instance);
    call.attempts++;
    call.current = this.#send(call, instance, now);
  }

  /** An instance and, in `#permit`, the permit of its breaker; or why there is none. */
  #find(call: Ongoing, except: Instance | undefined, now: Micros): Instance | NotFound {
    const picked = this.#roster.pick(now, except, call.key, call.side);
    if (picked === undefined) return 'no-target';
    if (this.#paces && picked.avoidUntil > now) return this.#spare(picked, now);
    const watch = this.#watch;
    this.#permit = watch === undefined ? 1 : watch.enter(picked, now);
    if (this.#permit > 0) return picked;
    // The balancer's last resort: all it knows are to be avoided, but perhaps not all for a breaker.
    for (const instance of this.#roster.fellows) {
      this.#permit = watch!.enter(instance, now);
      if (this.#permit > 0) return instance;
    }
    watch!.refused();
    return 'open';
  }

  /**
   * The balancer found nobody who is well and within his pace, and picked one anyway. What the well have no
   * room for must not go to those who are not: who is well gets it, or it is refused.
   */
  #spare(picked: Instance, now: Micros): Instance | NotFound {
    const { fellows } = this.#roster;
    const usable = fellows.filter(({ avoidUntil }) => avoidUntil <= now);
    const isPaced = usable.length === 0 && fellows.some((one) => one.isWellAtPace(now));
    // Nobody is well: as without a pace, one of them is tried, but none beyond his pace.
    const asked = isPaced || usable.length > 0 ? usable : [picked, ...fellows];
    let isOpen = false;
    for (const instance of asked) {
      if (instance.isAtPace(now)) continue;
      this.#permit = this.#watch === undefined ? 1 : this.#watch.enter(instance, now);
      if (this.#permit > 0) return instance;
      isOpen = true;
    }
    if (isOpen) this.#watch!.refused();
    else this.#paces!.refused();
    return isOpen ? 'open' : 'paced';
  }

  #send(call: Ongoing, instance: Instance, now: Micros): Attempt {
    const timeoutUs = Math.min(call.until - now, this.#policy.attemptTimeoutUs);
    instance.open++;
    this.#paces?.sent(instance, now);
    const id = this.#calls.open(instance.address, timeoutUs, (answer) =>
      this.#answered(call, attempt, answer),
    );
    const breaker = this.#watch?.breakerOf(instance);
    const permit = this.#permit;
    const attempt: Attempt = { id, instance, breaker, permit, sentAt: now, stream: undefined };
    const request = requestOf(id, call.asked, timeoutUs);
    if (this.#chaos) this.#disturb(call, attempt, request, this.#chaos);
    else this.#put(attempt, request);
    return attempt;
  }

  #put(attempt: Attempt, request: WebRequest): void {
    const { id, instance } = attempt;
    // Almost no body flows, and then nothing has to be made for its end.
    if (!request.inlet) return this.#host.send(instance.address, request);
    attempt.stream = sendWeb(this.#host, instance.address, request, (how) => {
      if (how === 'refused') this.#calls.refused(id);
      else if (how !== 'done') this.#calls.lost(id);
    });
  }

  /** The request is late, or answered in its service's place, as the drill says. */
  #disturb(call: Ongoing, attempt: Attempt, request: WebRequest, chaos: Chaos): void {
    const { byUs, status } = chaos.next();
    if (byUs === 0 && status === undefined) {
      return this.#put(attempt, request);
    }
    this.#host.after(byUs, () => {
      // Given up meanwhile: what is late is not sent any more.
      if (call.current !== attempt && call.second !== attempt) return;
      if (status !== undefined) {
        this.#calls.settle(request.id, injected(request.id, status));
        return;
      }
      const timeoutUs = Math.max(0, request.timeoutUs! - byUs);
      this.#put(attempt, { ...request, timeoutUs });
    });
  }

  #answered(call: Ongoing, attempt: Attempt, answer: Answer<WebReply>): void {
    const { instance } = attempt;
    instance.open--;
    if (call.current === attempt) call.current = call.second;
    call.second = undefined;
    const isLate = !answer.ok && answer.why === 'timeout';
    if (this.#watch) {
      const isFailed = !answer.ok || isWebFailure(answer.reply);
      this.#watch.ended(attempt, this.#host.now(), isFailed, isLate);
    }
    if (answer.ok && !mayPass(answer.reply.status)) {
      this.#hedge?.answered(this.#host.now(), this.#host.now() - attempt.sentAt);
      return this.#finish(call, answer, instance);
    }
    if (isLate) this.#cancel(attempt);
    else if (!answer.ok) instance.refused(this.#host.now() + avoidUs);
    if (!(!answer.ok && answer.certain)) call.doubted = true;
    call.failedAt = instance;
    // The other one may still answer.
    if (call.current) return;
    this.#retry(call, answer);
  }

  /** Tries again where that is safe, worth it and within the budget; otherwise the answer stands. */
  #retry(call: Ongoing, answer: Answer<WebReply>): void {
    const host = this.#host;
    const certain = !answer.ok && answer.certain;
    const waitUs = backoffUs(this.#policy, call.attempts, this.#jitter);
    const again =
      // A body that flows is used up by the first attempt.
      !call.asked.inlet &&
      (certain || idempotent.has(call.asked.method)) &&
      call.attempts < this.#policy.attempts &&
      host.now() + waitUs < call.until &&
      this.#budget.spend();
    if (!again) return answer.ok ? this.#finish(call, answer) : this.#fail(call, answer.why);
    if (answer.ok) answer.reply.inlet?.stream.reset();
    this.retryCount++;
    this.#disarm(call);
    call.pause = host.after(waitUs, () => {
      call.pause = undefined;
      this.#attempt(call);
    });
  }

  /** The same to another release, whose answer nobody waits for: nothing of it comes back. */
  #copy(call: Ongoing, { release, share }: ShadowPolicy): void {
    // A body that flows goes one way only.
    if (!this.#shadows.chance(share) || call.asked.inlet) return;
    const now = this.#host.now();
    const instance = this.#roster.pickOf(release, now);
    if (!instance || instance.isAtPace(now)) return;
    this.#paces?.sent(instance, now);
    const timeoutUs = Math.min(call.until - now, this.#policy.attemptTimeoutUs);
    const id = this.#calls.open(instance.address, timeoutUs, () => {});
    this.#host.send(instance.address, requestOf(id, call.asked, timeoutUs));
  }

  #watchTheTime(call: Ongoing, hedge: Hedge): void {
    hedge.began();
    const now = this.#host.now();
    const delayUs = hedge.delayUs(now);
    const isOnce = !idempotent.has(call.asked.method) || call.asked.inlet !== undefined;
    if (now + delayUs >= call.until || isOnce) return;
    call.alarm = this.#alarms.set(now + delayUs, () => {
      call.alarm = 0;
      this.#second(call, hedge);
    });
  }

  /** The first is late. Only to another instance, and only as the budget allows. */
  #second(call: Ongoing, hedge: Hedge): void {
    const first = call.current;
    const now = this.#host.now();
    if (!first || call.until <= now) return;
    const instance = this.#find(call, first.instance, now);
    if (typeof instance === 'string') return;
    if (instance === first.instance || !hedge.spend()) {
      this.#watch?.abandoned(instance, this.#watch.breakerOf(instance), this.#permit);
      return;
    }
    this.#hedged?.add();
    call.second = this.#send(call, instance, now);
  }

  #fail(call: Ongoing, why: Why): void {
    const certain = !call.doubted;
    if (why !== 'open' && why !== 'paced') return this.#finish(call, { ok: false, why, certain });
    const knowing = why === 'open' ? this.#watch : this.#paces;
    const retryAfterUs = knowing?.retryAfterUs(this.#roster.fellows, this.#host.now());
    this.#finish(call, { ok: false, why, certain, retryAfterUs });
  }

  #finish(call: Ongoing, outcome: Outcome, by?: Instance): void {
    this.#disarm(call);
    if (call.current) this.#abandon(call.current);
    call.current = undefined;
    this.#end(call, outcome, by);
  }

  #disarm(call: Ongoing): void {
    if (call.alarm === 0) return;
    this.#alarms.cancel(call.alarm);
    call.alarm = 0;
  }

  #abandon(attempt: Attempt): void {
    this.#calls.abandon(attempt.id);
    attempt.instance.open--;
    this.#watch?.abandoned(attempt.instance, attempt.breaker, attempt.permit);
    this.#cancel(attempt);
  }

  #cancel({ id, instance, stream }: Attempt): void {
    this.#host.send(instance.address, { type: 'cancel', id } satisfies WebCancel);
    stream?.reset();
  }
}

function budgetOf({ budgetRatio, budgetReserve }: PathPolicy): RetryBudget {
  return new RetryBudget({ ratio: budgetRatio, reserve: budgetReserve });
}

/** Replies of an intermediary that may pass by themselves: bad gateway, unavailable, gateway timeout. */
function mayPass(status: number): boolean {
  return status >= 502 && status <= 504;
}
