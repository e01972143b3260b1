/**
 * Keeps one instance listed in every registry: registers it, renews its lease, registers again when a
 * registry has forgotten it, and takes it out gently. What an instance does for itself and a registrar
 * for others.
 */
import type { Host, Micros, NodeId, Timer } from '../../../host/host.ts';
import type { Random } from '../../../kit/random.ts';
import { backoffUs } from '../../../parts/backoff.ts';
import type { Calls } from '../../../path/calls.ts';
import type { RegistryClientConfig } from './config.ts';
import type { Entry, RegistryReply, RegistryRequest } from './messages.ts';

export const registryPort = 'registry';

/** In one registry. */
interface Place {
  readonly registry: NodeId;
  isListed: boolean;
  isAsking: boolean;
  failedCount: number;
  timer: Timer | undefined;
}

/** By how much a renewal comes sooner: a thousand instances that start together do not renew in step. */
const jitterRatio = 0.1;
const retryMinUs: Micros = 200_000;

export class Membership {
  readonly #host: Host;
  readonly #calls: Pick<Calls<RegistryReply>, 'open'>;
  readonly #config: RegistryClientConfig;
  readonly #random: Random;
  readonly #places: readonly Place[];
  #entry: Entry;
  #leaving: (() => void)[] | undefined;

  constructor(options: {
    readonly host: Host;
    readonly calls: Pick<Calls<RegistryReply>, 'open'>;
    readonly config: RegistryClientConfig;
    readonly entry: Entry;
  }) {
    const { host, calls, config, entry } = options;
    this.#host = host;
    this.#calls = calls;
    this.#config = config;
    this.#entry = entry;
    this.#random = host.random.fork(`member ${entry.service} ${entry.node}`);
    this.#places = config.registries.map((registry) => ({
      registry,
      isListed: false,
      isAsking: false,
      failedCount: 0,
      timer: undefined,
    }));
    for (const place of this.#places) this.#renew(place);
  }

  /** From now on it is listed as well, or as sick; told at once. */
  turn(status: Entry['status']): void {
    if (this.#entry.status === status) return;
    this.#entry = { ...this.#entry, status };
    for (const place of this.#places) this.#renew(place);
  }

  /** The process of a registry ended: it will come back and know nothing. */
  broken(node: NodeId): void {
    for (const place of this.#places) {
      if (place.registry === node && !place.isAsking) this.#again(place, retryMinUs);
    }
  }

  /** Takes it out; calls `then` when nobody who heard of it should call any more. */
  leave(then: () => void): void {
    if (this.#leaving) {
      this.#leaving.push(then);
      return;
    }
    this.#leaving = [then];
    let openCount = this.#places.length;
    const one = (): void => {
      if (--openCount > 0) return;
      this.#host.after(this.#config.lingerUs, () => {
        for (const told of this.#leaving ?? []) told();
      });
    };
    const { service, node } = this.#entry;
    const patienceUs = this.#config.leaveMaxUs + this.#config.timeoutUs;
    for (const place of this.#places) {
      place.timer?.cancel();
      const id = this.#calls.open(addressOf(place.registry), patienceUs, one);
      this.#send(place, { type: 'deregister', id, service, node });
    }
  }

  #renew(place: Place): void {
    place.timer?.cancel();
    place.timer = undefined;
    if (this.#leaving || place.isAsking) return;
    place.isAsking = true;
    const entry = this.#entry;
    const { service, node, status } = entry;
    const to = addressOf(place.registry);
    const id = this.#calls.open(to, this.#config.timeoutUs, (answer) => {
      place.isAsking = false;
      if (!answer.ok) {
        const bounds = { backoffUs: retryMinUs, backoffMaxUs: this.#config.renewEveryUs };
        const waitUs = backoffUs(bounds, ++place.failedCount, this.#random);
        return this.#again(place, retryMinUs + waitUs);
      }
      place.failedCount = 0;
      if (answer.reply.type === 'unknown') {
        place.isListed = false;
        return this.#again(place, 0);
      }
      place.isListed = answer.reply.type !== 'full';
      const { renewEveryUs } = this.#config;
      const soonerUs = Math.floor(this.#random.next() * jitterRatio * renewEveryUs);
      this.#again(place, this.#entry === entry ? renewEveryUs - soonerUs : 0);
    });
    this.#send(
      place,
      place.isListed
        ? { type: 'renew', id, service, node, status }
        : { type: 'register', id, entry },
    );
  }

  #again(place: Place, inUs: Micros): void {
    place.timer?.cancel();
    place.timer = this.#host.after(inUs, () => this.#renew(place));
  }

  #send(place: Place, message: RegistryRequest): void {
    this.#host.send(addressOf(place.registry), message);
  }
}

function addressOf(node: NodeId) {
  return { node, port: registryPort };
}
