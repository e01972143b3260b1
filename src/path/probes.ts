/**
 * Active health checks: this caller asks each instance every so often, and passes over those that do not
 * answer. Without a `path` an instance's own program answers (`OPTIONS *`, HTTP's way to ask a server and
 * not a resource); with one, the handler does.
 */
import type { Gauge, Host, Timer } from '../host/host.ts';
import type { WebReply } from '../host/web.ts';
import type { Random } from '../kit/random.ts';
import { HealthCheck } from '../parts/health.ts';
import type { Calls } from './calls.ts';
import type { Instance } from './instance.ts';
import { requestOf } from './ongoing.ts';
import type { HealthPolicy } from './policy.ts';

interface Probed {
  readonly check: HealthCheck;
  timer: Timer | undefined;
  isGone: boolean;
}

export class Probes {
  readonly #host: Host;
  readonly #calls: Calls<WebReply>;
  readonly #service: string;
  readonly #policy: HealthPolicy;
  readonly #random: Random;
  readonly #up: Gauge;
  readonly #probed = new Map<Instance, Probed>();
  #upCount = 0;

  constructor(options: {
    readonly host: Host;
    readonly calls: Calls<WebReply>;
    readonly service: string;
    readonly policy: HealthPolicy;
    readonly random: Random;
  }) {
    const { host, calls, service, policy, random } = options;
    this.#host = host;
    this.#calls = calls;
    this.#service = service;
    this.#policy = policy;
    this.#random = random;
    this.#up = host.meter.gauge(`healthy ${service}`);
  }

  /** `isNew`: it came while the system runs, and gets no call before it has answered once. */
  came(instance: Instance, isNew: boolean): void {
    const random = this.#random.fork(instance.id);
    const probed: Probed = {
      check: new HealthCheck(this.#policy, random),
      timer: undefined,
      isGone: false,
    };
    this.#probed.set(instance, probed);
    if (isNew) {
      instance.wentDown();
      return this.#ask(instance, probed);
    }
    const firstUs = random.below(this.#policy.intervalUs);
    probed.timer = this.#host.after(firstUs, () => this.#ask(instance, probed));
  }

  went(instance: Instance): void {
    const probed = this.#probed.get(instance);
    if (!probed) return;
    probed.isGone = true;
    probed.timer?.cancel();
    this.#probed.delete(instance);
    if (probed.check.isUp) this.#count(-1);
    instance.cameUp(this.#host.now());
  }

  #ask(instance: Instance, probed: Probed): void {
    const { timeoutUs, path } = this.#policy;
    const id = this.#calls.open(
      instance.address,
      timeoutUs,
      (answer) => this.#answered(instance, probed, answer.ok && answer.reply.status < 500),
      false,
    );
    const asked =
      path === undefined
        ? { method: 'OPTIONS', url: '*' }
        : { method: 'GET', url: `http://${this.#service}${path}` };
    const probe = { ...asked, headers: [], body: null, ip: '', session: undefined };
    this.#host.send(instance.address, requestOf(id, probe, timeoutUs));
  }

  #answered(instance: Instance, probed: Probed, ok: boolean): void {
    if (probed.isGone) return;
    const wasUp = probed.check.isUp;
    const news = probed.check.answered(ok);
    if (news === 'up') {
      instance.cameUp(this.#host.now());
      this.#count(1);
    } else if (news === 'down') {
      instance.wentDown();
      if (wasUp) this.#count(-1);
      this.#host.meter.note(`${instance.id} is down for its health checks`);
    }
    probed.timer = this.#host.after(probed.check.nextInUs(), () => this.#ask(instance, probed));
  }

  #count(by: number): void {
    this.#upCount += by;
    this.#up.set(this.#upCount);
  }
}
