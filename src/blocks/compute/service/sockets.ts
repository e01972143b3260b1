/**
 * The web sockets of an instance: what comes is charged and handed to the user's listeners, in order;
 * what they send goes out, as long as the peer keeps up.
 */
import type { ProgramCode } from '../../../host/declaration.ts';
import type { Host } from '../../../host/host.ts';
import type { Inlet } from '../../../host/stream.ts';
import { Fifo } from '../../../parts/fifo.ts';
import { closeCodes, SocketEnd } from '../../../parts/socket.ts';
import type { ServerSocket } from '../../../parts/web.ts';
import type { Charge } from './charge.ts';
import type { SocketsConfig } from './config.ts';

export interface SocketsOptions {
  readonly host: Host;
  readonly config: SocketsConfig;
  readonly run: ProgramCode['run'];
  /** What a message costs; undefined: nothing. */
  readonly charge: Charge | undefined;
  /** The last of them is gone. */
  readonly idle: () => void;
}

export class Sockets {
  readonly #options: SocketsOptions;
  readonly #open = new Set<SocketEnd>();

  constructor(options: SocketsOptions) {
    this.#options = options;
  }

  get count(): number {
    return this.#open.size;
  }

  get isFull(): boolean {
    return this.#open.size >= this.#options.config.max;
  }

  /** From now on `socket` speaks through `inlet`, and `what` says whose code runs. */
  join(inlet: Inlet, socket: ServerSocket, what: string): void {
    const { host, config, run, charge, idle } = this.#options;
    const messages = host.meter.counter('messages');
    const errors = host.meter.counter('errors');
    const waiting = new Fifo<() => void>();
    let isBusy = false;
    let isAccepted = false;

    function next(): void {
      while (!isBusy && isAccepted) {
        const act = waiting.shift();
        if (!act) return;
        if (!charge) {
          act();
          continue;
        }
        isBusy = true;
        charge(1, () => {
          isBusy = false;
          act();
          next();
        });
      }
    }

    const hand = (tell: () => Promise<void>, done?: () => void): void =>
      run(what, async () => {
        try {
          await tell();
        } catch (failure) {
          errors.add();
          console.error(failure);
          end.close(closeCodes.failed, 'internal error');
        }
        done?.();
      });

    const end = new SocketEnd({
      inlet,
      after: (delayUs, fire) => host.after(delayUs, fire),
      pingUs: config.pingUs,
      messageMaxBytes: config.messageMaxBytes,
      message: (data, took) => {
        messages.add();
        waiting.push(() => hand(() => socket.receive(data), took));
        next();
      },
      closed: (code, reason) => {
        this.#open.delete(end);
        this.#counted();
        waiting.push(() => hand(() => socket.closed(code, reason)));
        next();
        if (this.#open.size === 0) idle();
      },
    });
    this.#open.add(end);
    this.#counted();
    const carrier = {
      get waitingBytes() {
        return end.waitingBytes;
      },
      send(data: string | Uint8Array) {
        end.send(data);
        // Whoever cannot keep up would otherwise fill the memory of all.
        if (end.waitingBytes > config.sendMaxBytes) end.close(closeCodes.policy, 'too slow');
      },
      close: (code: number, reason: string) => end.close(code, reason),
    };
    socket.join(carrier, () => {
      isAccepted = true;
      next();
    });
  }

  /** The instance stops: clients are to come back elsewhere. */
  closeAll(): void {
    for (const end of [...this.#open]) end.close(closeCodes.goingAway, 'going away');
  }

  #counted(): void {
    this.#options.host.meter.gauge('sockets').set(this.#open.size);
  }
}
