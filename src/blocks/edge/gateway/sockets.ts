/**
 * The web sockets that pass a gateway. What goes through is not looked into; it is noticed that
 * something does, on both sides, and when the gateway has to go it says so to both.
 *
 *   client ══ near ══▶ [ heard? ] ══ far ══▶ service
 */
import type { Host, Micros, Timer } from '../../../host/host.ts';
import type { Inlet, Stream, StreamEvents } from '../../../host/stream.ts';
import type { WebClose } from '../../../host/web.ts';
import { closeCodes } from '../../../parts/socket.ts';
import type { SocketsConfig } from './config.ts';

export class Sockets {
  readonly #host: Host;
  readonly #config: SocketsConfig;
  readonly #idle: () => void;
  readonly #open = new Set<Passage>();

  /** `idle`: the last of them is gone. */
  constructor(host: Host, config: SocketsConfig, idle: () => void) {
    this.#host = host;
    this.#config = config;
    this.#idle = idle;
  }

  get count(): number {
    return this.#open.size;
  }

  /** The stream of an upgrade, as it goes on; undefined: too many are open. */
  enter(inlet: Inlet): Passage | undefined {
    if (this.#open.size >= this.#config.max) return undefined;
    const passage: Passage = new Passage(this.#host, this.#config, inlet, () => {
      if (!this.#open.delete(passage)) return;
      this.#counted();
      if (this.#open.size === 0) this.#idle();
    });
    this.#open.add(passage);
    this.#counted();
    return passage;
  }

  closeAll(): void {
    for (const passage of [...this.#open]) passage.close('going away');
  }

  #counted(): void {
    this.#host.meter.gauge('sockets').set(this.#open.size);
  }
}

/** One of them: in the place of the client's stream, for whoever joins it with the service's. */
export class Passage implements Inlet {
  readonly stream: Stream;
  readonly #host: Host;
  readonly #config: SocketsConfig;
  readonly #inlet: Inlet;
  readonly #gone: () => void;
  #service: StreamEvents | undefined;
  #timer: Timer | undefined;
  #isClosing = false;
  #isOver = false;
  #clientAt: Micros;
  #serviceAt: Micros;

  constructor(host: Host, config: SocketsConfig, inlet: Inlet, gone: () => void) {
    this.#host = host;
    this.#config = config;
    this.#inlet = inlet;
    this.#gone = gone;
    this.#clientAt = host.now();
    this.#serviceAt = host.now();
    const near = inlet.stream;
    this.stream = {
      peer: near.peer,
      get waitingBytes() {
        return near.waitingBytes;
      },
      write: (chunk) => {
        this.#serviceAt = host.now();
        return near.write(chunk);
      },
      end: (last) => near.end(last),
      reset: () => {
        near.reset();
        this.#over();
      },
      took: (chunk) => near.took(chunk),
    };
  }

  attach(service: StreamEvents): void {
    this.#service = service;
    this.#inlet.attach({
      data: (chunk) => {
        this.#clientAt = this.#host.now();
        if (this.#isClosing) this.#inlet.stream.took(chunk);
        else service.data(chunk);
      },
      ready: () => service.ready?.(),
      ended: (last) => service.ended?.(last),
      closed: (how) => {
        this.#over();
        service.closed(how);
      },
    });
  }

  /** It was answered with 101: from now on both sides have to be heard. */
  opened(): void {
    this.#clientAt = this.#host.now();
    this.#serviceAt = this.#host.now();
    if (!this.#isOver && !this.#isClosing) this.#watch();
  }

  /** Says good-bye to both sides, in the other's place. */
  close(reason: string): void {
    if (this.#isClosing || this.#isOver) return;
    this.#isClosing = true;
    this.#timer?.cancel();
    const said: WebClose = { type: 'close', code: closeCodes.goingAway, reason };
    this.#timer = this.#host.after(this.#config.closeTimeoutUs, () => {
      this.#inlet.stream.reset();
      this.#over();
      this.#service?.closed('reset');
    });
    this.#inlet.stream.end(said);
    this.#service?.ended?.(said);
  }

  #watch(): void {
    const quietAt = Math.min(this.#clientAt, this.#serviceAt);
    const leftUs = quietAt + this.#config.idleTimeoutUs - this.#host.now();
    if (leftUs <= 0) return this.close('idle');
    this.#timer = this.#host.after(leftUs, () => this.#watch());
  }

  #over(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#timer?.cancel();
    this.#gone();
  }
}
