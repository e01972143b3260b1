/**
 * Active checks at layer 4: a connection is opened and ended. It says that somebody accepts, and
 * nothing about what he would answer.
 */
import type { Connection } from '../../../host/connection.ts';
import type { Gauge, Host, Timer } from '../../../host/host.ts';
import type { Stream } from '../../../host/stream.ts';
import type { Random } from '../../../kit/random.ts';
import { HealthCheck, type HealthConfig } from '../../../parts/health.ts';
import type { Target } from './target.ts';

interface Checked {
  readonly check: HealthCheck;
  timer: Timer | undefined;
  isGone: boolean;
}

export class Checks {
  readonly #host: Host;
  readonly #config: HealthConfig;
  readonly #random: Random;
  readonly #up: Gauge;
  readonly #wentDown: (target: Target) => void;
  readonly #checked = new Map<Target, Checked>();

  constructor(
    host: Host,
    config: HealthConfig,
    service: string,
    wentDown: (target: Target) => void,
  ) {
    this.#host = host;
    this.#config = config;
    this.#random = host.random.fork('checks');
    this.#wentDown = wentDown;
    this.#up = host.meter.gauge(`healthy ${service}`);
  }

  came(target: Target): void {
    const random = this.#random.fork(target.id);
    const checked: Checked = {
      check: new HealthCheck(this.#config, random),
      timer: undefined,
      isGone: false,
    };
    this.#checked.set(target, checked);
    const firstUs = random.below(this.#config.intervalUs);
    checked.timer = this.#host.after(firstUs, () => this.#ask(target, checked));
  }

  went(target: Target): void {
    const checked = this.#checked.get(target);
    if (!checked) return;
    checked.isGone = true;
    checked.timer?.cancel();
    this.#checked.delete(target);
    this.#count();
  }

  #ask(target: Target, checked: Checked): void {
    tryConnect(this.#host, target, this.#config.timeoutUs, (ok) => {
      if (checked.isGone) return;
      const news = checked.check.answered(ok);
      if (news) {
        target.isUp(news === 'up');
        this.#count();
        if (news === 'down') {
          this.#host.meter.note(`${target.id} is down for its health checks`);
          this.#wentDown(target);
        }
      }
      const nextUs = checked.check.nextInUs();
      checked.timer = this.#host.after(nextUs, () => this.#ask(target, checked));
    });
  }

  #count(): void {
    let up = 0;
    for (const { check } of this.#checked.values()) if (check.isUp) up++;
    this.#up.set(up);
  }
}

/** Whether it accepts within `timeoutUs`. `told` is called once, later. */
export function tryConnect(
  host: Host,
  target: Target,
  timeoutUs: number,
  told: (accepts: boolean) => void,
): void {
  let isOver = false;
  const finish = (accepts: boolean): void => {
    if (isOver) return;
    isOver = true;
    timer.cancel();
    if (accepts) stream.end();
    else stream.reset();
    told(accepts);
  };
  const opening: Connection = { type: 'connection', ip: '', port: 0 };
  const stream: Stream = host.connect(
    target.address,
    {
      opened: () => finish(true),
      data: (chunk) => stream.took(chunk),
      closed: () => finish(false),
    },
    opening,
  );
  const timer = host.after(timeoutUs, () => finish(false));
}
