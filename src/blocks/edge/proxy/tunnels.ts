/**
 * The tunnels through a proxy (RFC 9110, 9.3.6). What goes through is not looked into: it is counted, and
 * noticed, so that one through which nothing goes any more ends, as do all when the proxy has to go.
 *
 *   client ══ near ══▶ [ bytes, quiet since? ] ══ far ══▶ site
 */
import type { Host, Micros, Timer } from '../../../host/host.ts';
import type { Chunk, Inlet, Stream, StreamEvents } from '../../../host/stream.ts';
import type { TunnelsConfig } from './config.ts';

/** How long both sides may take to go, once they were told. */
const lingerUs = 1_000_000;

export class Tunnels {
  readonly #host: Host;
  readonly #config: TunnelsConfig;
  readonly #gone: () => void;
  readonly #open = new Set<Tunnel>();

  /** `gone`: one of them is. */
  constructor(host: Host, config: TunnelsConfig, gone: () => void) {
    this.#host = host;
    this.#config = config;
    this.#gone = gone;
  }

  get count(): number {
    return this.#open.size;
  }

  /** The stream of a request for a tunnel, as it goes on; undefined: too many are open. */
  enter(inlet: Inlet, passed: (bytes: number) => void): Tunnel | undefined {
    if (this.#open.size >= this.#config.max) return undefined;
    const { idleTimeoutUs } = this.#config;
    const tunnel: Tunnel = new Tunnel(this.#host, idleTimeoutUs, inlet, passed, () => {
      if (!this.#open.delete(tunnel)) return;
      this.#counted();
      this.#gone();
    });
    this.#open.add(tunnel);
    this.#counted();
    return tunnel;
  }

  /** Those that are quiet for a moment, and owe no answer, end at once, the others as soon as they are. */
  windUp(): void {
    if (this.#open.size === 0) return;
    for (const tunnel of [...this.#open]) tunnel.endIfQuiet(this.#config.quietUs);
    this.#host.after(this.#config.quietUs, () => this.windUp());
  }

  #counted(): void {
    this.#host.meter.gauge('tunnels').set(this.#open.size);
  }
}

/** One of them: in the place of the client's stream, for whoever joins it with the site's. */
export class Tunnel implements Inlet {
  readonly stream: Stream;
  readonly #host: Host;
  readonly #idleTimeoutUs: Micros;
  readonly #inlet: Inlet;
  readonly #passed: (bytes: number) => void;
  readonly #gone: () => void;
  #site: StreamEvents | undefined;
  #timer: Timer | undefined;
  #phase: 'asked' | 'open' | 'ending' | 'over' = 'asked';
  #quietSince: Micros;
  /** Whether the last that came was for the client: else it may wait for something. */
  #isAnswered = true;

  constructor(
    host: Host,
    idleTimeoutUs: Micros,
    inlet: Inlet,
    passed: (bytes: number) => void,
    gone: () => void,
  ) {
    this.#host = host;
    this.#idleTimeoutUs = idleTimeoutUs;
    this.#inlet = inlet;
    this.#passed = passed;
    this.#gone = gone;
    this.#quietSince = host.now();
    const near = inlet.stream;
    this.stream = {
      peer: near.peer,
      get waitingBytes() {
        return near.waitingBytes;
      },
      write: (chunk) => {
        this.#sign(chunk, true);
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

  attach(site: StreamEvents): void {
    this.#site = site;
    this.#inlet.attach({
      data: (chunk) => {
        this.#sign(chunk, false);
        site.data(chunk);
      },
      ready: () => site.ready?.(),
      ended: (last) => site.ended?.(last),
      closed: (how) => {
        this.#over();
        site.closed(how);
      },
    });
  }

  /** The site is there: from now on something has to go through. */
  opened(): void {
    if (this.#phase !== 'asked') return;
    this.#phase = 'open';
    this.#quietSince = this.#host.now();
    this.#watch();
  }

  endIfQuiet(forUs: Micros): void {
    if (this.#phase !== 'open' || !this.#isAnswered) return;
    if (this.#host.now() - this.#quietSince >= forUs) this.#end();
  }

  /** Each side is told that the other has nothing more to say. */
  #end(): void {
    this.#phase = 'ending';
    this.#timer?.cancel();
    this.#timer = this.#host.after(lingerUs, () => {
      const site = this.#site;
      this.stream.reset();
      site?.closed('reset');
    });
    this.#inlet.stream.end();
    this.#site?.ended?.(undefined);
  }

  #watch(): void {
    const leftUs = this.#quietSince + this.#idleTimeoutUs - this.#host.now();
    if (leftUs <= 0) return this.#end();
    this.#timer = this.#host.after(leftUs, () => this.#watch());
  }

  #sign(chunk: Chunk, isBack: boolean): void {
    this.#isAnswered = isBack;
    this.#quietSince = this.#host.now();
    this.#passed(chunk.length);
  }

  #over(): void {
    if (this.#phase === 'over') return;
    this.#phase = 'over';
    this.#timer?.cancel();
    this.#gone();
  }
}
