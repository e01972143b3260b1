/** How users reach the system: one request to one of its doors, and one answer or why there is none. */
import type { Address, Host } from '../../../host/host.ts';
import { type WebCancel, type WebReply, webPort } from '../../../host/web.ts';
import { Balancer, type Target } from '../../../parts/balance.ts';
import { type Asked, requestOf } from '../../../path/caller.ts';
import type { Answer, Calls } from '../../../path/calls.ts';
import type { CrowdConfig } from './config.ts';

interface Door extends Target {
  readonly address: Address;
}

export class Wire {
  readonly #host: Host;
  readonly #calls: Calls<WebReply>;
  readonly #timeoutUs: number;
  readonly #doors: readonly Door[];
  readonly #balancer: Balancer<Door>;

  constructor(host: Host, config: CrowdConfig, calls: Calls<WebReply>) {
    this.#host = host;
    this.#calls = calls;
    this.#timeoutUs = config.timeoutUs;
    this.#doors = config.doors.map((node) => ({
      address: { node, port: webPort },
      open: 0,
      avoidUntil: 0,
    }));
    this.#balancer = new Balancer('round-robin', host.random.fork('door'));
  }

  request(asked: Asked, done: (answer: Answer<WebReply>) => void): void {
    const host = this.#host;
    const door = this.#balancer.pick(this.#doors, host.now());
    if (!door) return done({ ok: false, why: 'refused', certain: true });
    door.open++;
    const id = this.#calls.open(door.address, this.#timeoutUs, (answer) => {
      door.open--;
      if (!answer.ok && answer.why === 'timeout') {
        host.send(door.address, { type: 'cancel', id } satisfies WebCancel);
      } else if (!answer.ok) door.avoidUntil = host.now() + 1_000_000;
      done(answer);
    });
    host.send(door.address, requestOf(id, asked, this.#timeoutUs));
  }
}
