/**
 * Calls over a path: from one caller to the instances of a service, by its policy. The stages, in
 * their fixed order, each in a file of its own, and none there that the policy does not ask for:
 *
 *   fallback → deadline → bulkhead → retry, hedge → split by release → balance → breaker
 *            → attempt timeout → send, by the pace of its instance
 *
 * The gateway and the fetcher that a service binding gives both stand on this. Each call ends
 * exactly once, whatever the network does. Who serves, how traffic is split and the policy itself may
 * change while calls are open.
 */
import type { ToProgram } from '../host/control.ts';
import type { ChaosRule } from '../host/fault.ts';
import type { Host, Message, Micros } from '../host/host.ts';
import type { DirectoryPlace, Targets } from '../host/path.ts';
import type { WebReply } from '../host/web.ts';
import { hashText, type Random } from '../kit/random.ts';
import type { Purge } from '../parts/http-cache.ts';
import { Alarms } from './alarms.ts';
import { balancerOf } from './balancers.ts';
import type { Calls } from './calls.ts';
import { Chaos } from './chaos.ts';
import { Compartment } from './compartment.ts';
import { type Calling, Fallback, type Keeping } from './fallback.ts';
import { cookieOf, type KeyOf, keyReader } from './headers.ts';
import type { Instance } from './instance.ts';
import { type Asked, type Done, Ongoing, type Outcome } from './ongoing.ts';
import { Paces } from './pace.ts';
import { isSame, type PathPolicy, type SplitPolicy } from './policy.ts';
import { Probes } from './probes.ts';
import { Pursuit } from './pursuit.ts';
import { Roster, type Side } from './roster.ts';
import { Watch } from './watch.ts';

export type { Member, Targets } from '../host/path.ts';
export { type Asked, askedOf, type Done, type Outcome, requestOf, type Why } from './ongoing.ts';

/** Config of the half of a service that stands at its caller. */
export type FetcherConfig = {
  readonly path: PathPolicy;
  readonly targets: Targets;
  /** What stands in for failures. */
  readonly backup?: BackupConfig | undefined;
  /** It leads to a proxy on the same node, which counts its calls itself. */
  readonly isLocal?: boolean | undefined;
  /** Where on its node it finds who serves; null: `targets` say. */
  readonly directory?: DirectoryPlace | null | undefined;
};

export type BackupConfig = {
  readonly service: string;
  readonly path: PathPolicy;
  readonly targets: Targets;
};

/** What callers of a service are told of it while the system runs. */
export type ForCallers = Extract<ToProgram, { readonly service: string }>;

export function isForCallers(message: Message): message is ForCallers {
  return 'service' in message;
}

export interface CallerOptions {
  readonly host: Host;
  /**
   * May be shared between the callers of one program: then ids are unique in it and its handlers
   * settle them there.
   */
  readonly calls: Calls<WebReply>;
  readonly service: string;
  readonly policy: PathPolicy;
  readonly targets: Targets;
  readonly backup?: BackupConfig | undefined;
  readonly random: Random;
  /** What may be kept to stand in for failures. Default: whatever anybody may see. */
  readonly keeping?: Keeping | undefined;
}

export class Caller {
  readonly #options: CallerOptions;
  readonly #host: Host;
  readonly #roster: Roster;
  readonly #alarms: Alarms;
  readonly #pursuit: Pursuit;
  readonly #backup: Caller | undefined;
  #policy: PathPolicy;
  #callers: Targets['callers'];
  #watch: Watch | undefined;
  #paces: Paces | undefined;
  #probes: Probes | undefined;
  #compartment: Compartment | undefined;
  #fallback: Fallback | undefined;
  #keyOf: KeyOf | undefined;
  #sideOf: ((asked: Asked) => Side) | undefined;
  readonly #chance: Random;
  /** Name of the cookie that says which instance served. */
  #cookie: string | undefined;

  constructor(options: CallerOptions) {
    const { host, calls, service, policy, targets, random, backup } = options;
    this.#options = options;
    this.#host = host;
    this.#policy = policy;
    this.#chance = random.fork('chaos');
    this.#callers = targets.callers;
    this.#alarms = new Alarms(host);
    this.#backup =
      backup &&
      new Caller({
        ...backup,
        policy: backup.path,
        host,
        calls,
        random: random.fork('backup'),
        keeping: options.keeping,
      });
    this.#watch = Watch.of(host, service, policy);
    this.#paces = policy.pace && new Paces(host, service, policy.pace);
    this.#probes = this.#probing();
    this.#roster = new Roster({
      targets,
      makePicker: balancerOf(policy, this.#around(), random),
      random: random.fork('split'),
      events: {
        came: (instance, isNew) => {
          this.#watch?.came(instance);
          this.#paces?.came(instance);
          this.#probes?.came(instance, isNew);
        },
        went: (instance) => {
          this.#watch?.went(instance);
          this.#paces?.went(instance);
          this.#probes?.went(instance);
        },
      },
    });
    this.#pursuit = new Pursuit({
      host,
      calls,
      service,
      policy,
      roster: this.#roster,
      watch: this.#watch,
      paces: this.#paces,
      alarms: this.#alarms,
      jitter: random.fork('backoff'),
      end: (call, outcome, by) => this.#end(call, outcome, by),
    });
    this.#surround();
  }

  get retryCount(): number {
    return this.#pursuit.retryCount;
  }

  /**
   * `deadlineAt` is on this node's `now()`; the policy's own timeout holds besides. What it returns
   * gives the call up: `done` is not called any more, and whoever works on it is told.
   */
  call(asked: Asked, deadlineAt: Micros | undefined, done: Done): () => void {
    if (this.#fallback) return this.#fallback.cover(this.#bare, asked, deadlineAt, done);
    return this.#bare(asked, deadlineAt, done);
  }

  /** Of what is kept to stand in for failures. */
  purge(purge: Purge): void {
    this.#fallback?.purge(purge);
    this.#backup?.purge(purge);
  }

  /** Without what stands in for failures. */
  readonly #bare: Calling = (asked, deadlineAt, done) => {
    const byPolicy = this.#host.now() + this.#policy.timeoutUs;
    const until = deadlineAt === undefined ? byPolicy : Math.min(byPolicy, deadlineAt);
    this.#pursuit.earn();
    const call = new Ongoing(asked, until, this.#keyOf?.(asked), done);
    if (this.#sideOf) call.side = this.#sideOf(asked);
    if (!this.#compartment) this.#pursuit.begin(call);
    else if (!this.#compartment.enter(call)) this.#end(call, full);
    return () => this.#giveUp(call);
  };

  #giveUp(call: Ongoing): void {
    if (call.isOver) return;
    call.isOver = true;
    if (call.alarm > 0) this.#alarms.cancel(call.alarm);
    this.#pursuit.stop(call);
    call.place?.leave(call);
  }

  #end(call: Ongoing, outcome: Outcome, by?: Instance): void {
    call.isOver = true;
    call.done(this.#cookie && outcome.ok && by ? this.#marked(call, outcome, by) : outcome);
    call.place?.leave(call);
  }

  /** Who serves from now on. Calls that are open where nobody serves any more may end there. */
  retarget(targets: Targets): void {
    const { callers } = targets;
    if (!isSame(callers, this.#callers)) {
      this.#callers = callers;
      this.#roster.rebalance(balancerOf(this.#policy, this.#around(), this.#options.random));
    }
    this.#roster.retarget(targets, this.#host.now());
  }

  /** Another policy in a running system; null: what the design declares. What did not change keeps its state. */
  adopt(policy: PathPolicy | null): void {
    const before = this.#policy;
    const next = policy ?? this.#options.policy;
    this.#policy = next;
    const { host, service, random } = this.#options;
    if (!isSame(learning(next), learning(before))) {
      for (const instance of this.#roster.instances) this.#watch?.went(instance);
      this.#watch = Watch.of(host, service, next);
      for (const instance of this.#roster.instances) this.#watch?.came(instance);
    }
    if (!isSame(next.pace, before.pace)) {
      for (const instance of this.#roster.instances) this.#paces?.went(instance);
      this.#paces = next.pace && new Paces(host, service, next.pace);
      for (const instance of this.#roster.instances) this.#paces?.came(instance);
    }
    if (!isSame(next.health, before.health)) {
      for (const instance of this.#roster.instances) this.#probes?.went(instance);
      this.#probes = this.#probing();
      for (const instance of this.#roster.instances) this.#probes?.came(instance, false);
    }
    if (!isSame(balancing(next), balancing(before))) {
      this.#roster.rebalance(balancerOf(next, this.#around(), random));
    }
    this.#pursuit.adopt(next, this.#watch, this.#paces);
    this.#surround(before);
  }

  /**
   * Changes the traffic split of a running system. Releases not named get nothing; when none is
   * named, what the design declares holds again.
   */
  shift(traffic: Targets['traffic']): void {
    this.#roster.shift(traffic);
  }

  /** What befalls calls from now on, until it is said anew. */
  disturb(rules: readonly ChaosRule[]): void {
    this.#pursuit.disturb(rules.length === 0 ? undefined : new Chaos(rules, this.#chance));
  }

  /** What who may command (`mayControl`) says to callers. */
  obey(message: ForCallers): void {
    if (message.type === 'shift') this.shift(message.traffic);
    else if (message.type === 'retarget') this.retarget(message.targets);
    else if (message.type === 'chaos') this.disturb(message.rules);
    else this.adopt(message.policy as PathPolicy | null);
  }

  /** The stages around an attempt, where they are not what they were. */
  #surround(before?: PathPolicy): void {
    const { host, service, keeping } = this.#options;
    const { bulkhead, fallback, hash, sticky, split } = this.#policy;
    if (!before || !isSame(bulkhead, before.bulkhead)) {
      this.#compartment =
        bulkhead &&
        new Compartment({
          config: bulkhead,
          alarms: this.#alarms,
          meter: host.meter,
          service,
          begin: (call) => this.#pursuit.begin(call),
          late: (call) => this.#end(call, late),
        });
    }
    if (!before || !isSame(fallback, before.fallback)) {
      const backup: Calling | undefined =
        this.#backup && ((asked, deadlineAt, done) => this.#backup!.call(asked, deadlineAt, done));
      this.#fallback =
        fallback && new Fallback({ host, policy: fallback, service, backup, keeping });
    }
    this.#sideOf = split && sideReader(split);
    this.#cookie = sticky?.by.startsWith('cookie:') ? sticky.by.slice(7) : undefined;
    const spec = sticky?.by ?? hash?.key;
    if (this.#cookie) this.#keyOf = ({ headers }) => this.#named(cookieOf(headers, this.#cookie!));
    else this.#keyOf = spec === undefined ? undefined : keyReader(spec);
  }

  #probing(): Probes | undefined {
    const { host, calls, service, random } = this.#options;
    const policy = this.#policy.health;
    return policy && new Probes({ host, calls, service, policy, random: random.fork('health') });
  }

  #around() {
    return { zone: this.#host.zone, callers: this.#callers };
  }

  /** The instance that a cookie means. Its name stays inside: what users see is a hash of it. */
  #named(mark: string | undefined): string | undefined {
    if (mark === undefined) return undefined;
    for (const { id } of this.#roster.instances) if (markOf(id) === mark) return id;
    return undefined;
  }

  #marked(call: Ongoing, outcome: Outcome & { ok: true }, { id }: Instance): Outcome {
    if (call.key === id) return outcome;
    const { reply } = outcome;
    const cookie = `${this.#cookie}=${markOf(id)}; Path=/; HttpOnly; SameSite=Lax`;
    return { ok: true, reply: { ...reply, headers: [...reply.headers, 'set-cookie', cookie] } };
  }
}

const full: Outcome = { ok: false, why: 'full', certain: true, retryAfterUs: 1_000_000 };
/** In the queue of a bulkhead: nothing was sent. */
const late: Outcome = { ok: false, why: 'timeout', certain: true };

function sideReader({ by, pin }: SplitPolicy): (asked: Asked) => Side {
  const keyOf = keyReader(by);
  const pinOf = pin === undefined ? undefined : keyReader(pin);
  return (asked) => ({ key: keyOf(asked), pinned: pinOf?.(asked) });
}

function markOf(id: string): string {
  return (hashText(id, 0x2f0b4a17) >>> 0).toString(36);
}

function learning({ breaker, outliers, latency }: PathPolicy): object {
  return { breaker, outliers, latency };
}

function balancing({ balance, hash, latency, zones, sticky, slowStart }: PathPolicy): object {
  return { balance, hash, latency, zones, sticky, slowStart };
}
