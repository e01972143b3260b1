/** How users reach the system: one request to one of its doors, and one answer or why there is none. */
import type { Address, Host, NodeId } from '../../../host/host.ts';
import type { Naming } from '../../../host/naming.ts';
import type { Inlet, Stream } from '../../../host/stream.ts';
import { type WebCancel, type WebReply, webPort } from '../../../host/web.ts';
import { Balancer, type Target } from '../../../parts/balance.ts';
import { splitUrl } from '../../../parts/http-cache/key.ts';
import { type Asked, requestOf } from '../../../path/caller.ts';
import type { Answer, Calls } from '../../../path/calls.ts';
import { type Over, openWeb, sendWeb } from '../../../path/streaming.ts';
import type { CrowdConfig } from './config.ts';

interface Door extends Target {
  readonly address: Address;
}

/** How long a door that refused or broke off is passed over while there is another. */
const avoidUs = 1_000_000;
const nobody = { ok: false, why: 'refused', certain: true } as const;

export class Wire {
  readonly #host: Host;
  readonly #calls: Calls<WebReply>;
  readonly #timeoutUs: number;
  /** The nearest first; users go farther when none of the nearer ones can be gone to. */
  readonly #tiers: readonly (readonly Door[])[];
  readonly #named = new Map<NodeId, Door>();
  readonly #naming: Naming | undefined;
  readonly #balancer: Balancer<Door>;

  constructor(host: Host, config: CrowdConfig, calls: Calls<WebReply>, naming?: Naming) {
    this.#host = host;
    this.#calls = calls;
    this.#naming = naming;
    this.#timeoutUs = config.timeoutUs;
    const tiers = [...new Set(config.doors.map(({ tier }) => tier))].sort((a, b) => a - b);
    this.#tiers = tiers.map((tier) =>
      config.doors.filter((door) => door.tier === tier).map(({ node }) => doorTo(node)),
    );
    this.#balancer = new Balancer('round-robin', host.random.fork('door'));
  }

  /**
   * What it returns gives the request up: `done` is not called any more. `opened`: it may become a web
   * socket, and is told of the stream of each attempt.
   */
  request(
    asked: Asked,
    done: (answer: Answer<WebReply>) => void,
    opened?: (inlet: Inlet) => void,
  ): () => void {
    if (this.#naming) return this.#byName(this.#naming, asked, done, opened);
    const door = this.#nearest();
    if (door) return this.#send(door, asked, this.#timeoutUs, done, opened);
    done(nobody);
    return () => {};
  }

  /** As browsers do: the addresses in their order, the next one when a connection is refused. */
  #byName(
    naming: Naming,
    asked: Asked,
    done: (answer: Answer<WebReply>) => void,
    opened: ((inlet: Inlet) => void) | undefined,
  ): () => void {
    let isGone = false;
    let giveUp = (): void => {};
    const startedAt = this.#host.now();
    const attempt = (doors: readonly Door[], index: number): void => {
      const leftUs = this.#timeoutUs - (this.#host.now() - startedAt);
      if (leftUs <= 0) return done({ ok: false, why: 'timeout', certain: true });
      const then = (answer: Answer<WebReply>): void => {
        // A body that flows is used up by the first attempt.
        const mayGoOn = !asked.inlet && index + 1 < doors.length;
        const again = !answer.ok && answer.why === 'refused' && mayGoOn;
        if (again) attempt(doors, index + 1);
        else done(answer);
      };
      giveUp = this.#send(doors[index]!, asked, leftUs, then, opened);
    };
    naming.resolve(splitUrl(asked.url).host, ({ nodes, why }) => {
      if (isGone) return;
      const doors = nodes.map((node) => this.#doorOf(node));
      // One that was refused a moment ago is tried last.
      const now = this.#host.now();
      const sorted = [
        ...doors.filter(({ avoidUntil }) => avoidUntil <= now),
        ...doors.filter(({ avoidUntil }) => avoidUntil > now),
      ];
      if (sorted.length > 0) attempt(sorted, 0);
      else done(why === 'no-answer' ? { ok: false, why: 'timeout', certain: true } : nobody);
    });
    return () => {
      isGone = true;
      giveUp();
    };
  }

  #nearest(): Door | undefined {
    const now = this.#host.now();
    for (const tier of this.#tiers) {
      for (const { avoidUntil } of tier) {
        if (avoidUntil <= now) return this.#balancer.pick(tier, now);
      }
    }
    return this.#balancer.pick(this.#tiers[0] ?? [], now);
  }

  #doorOf(node: NodeId): Door {
    let door = this.#named.get(node);
    if (!door) {
      door = doorTo(node);
      this.#named.set(node, door);
    }
    return door;
  }

  #send(
    door: Door,
    asked: Asked,
    timeoutUs: number,
    done: (answer: Answer<WebReply>) => void,
    opened: ((inlet: Inlet) => void) | undefined,
  ): () => void {
    const host = this.#host;
    const cancel = (): void => {
      host.send(door.address, { type: 'cancel', id } satisfies WebCancel);
      stream?.reset();
    };
    door.open++;
    const id = this.#calls.open(door.address, timeoutUs, (answer) => {
      door.open--;
      if (!answer.ok && answer.why === 'timeout') cancel();
      else if (!answer.ok) door.avoidUntil = host.now() + avoidUs;
      done(answer);
    });
    const request = requestOf(id, asked, timeoutUs);
    let stream: Stream | undefined;
    // Almost no body flows, and then nothing has to be made for its end.
    if (!request.inlet && !opened) host.send(door.address, request);
    else {
      const over: Over = (how) => {
        if (how === 'refused') this.#calls.refused(id);
        else if (how !== 'done') this.#calls.lost(id);
      };
      const inlet = opened && openWeb(host, door.address, request, over);
      stream = inlet ? inlet.stream : sendWeb(host, door.address, request, over);
      if (inlet) opened?.(inlet);
    }
    return () => {
      if (!this.#calls.isWaiting(id)) return;
      this.#calls.abandon(id);
      door.open--;
      cancel();
    };
  }
}

function doorTo(node: NodeId): Door {
  return { address: { node, port: webPort }, open: 0, avoidUntil: 0 };
}
