/** A balancer's seat among those that share an address: who has it is decided by `parts/standby.ts`. */
import type { HoldAddress } from '../../../host/control.ts';
import { control } from '../../../host/control.ts';
import type { Address, Host, NodeId } from '../../../host/host.ts';
import { webPort } from '../../../host/web.ts';
import { type Beat, Standby } from '../../../parts/standby.ts';
import type { SeatConfig } from './config.ts';
import type { BeatMessage } from './messages.ts';

export class Seat {
  readonly #host: Host;
  readonly #config: SeatConfig;
  readonly #standby: Standby;
  /** Finds out whether this node is of any use. */
  readonly #reaches: (told: (doesReach: boolean) => void) => void;
  readonly #others: readonly Address[];
  readonly #active;
  #isAsking = false;
  #whenLeft: (() => void) | undefined;

  constructor(
    host: Host,
    config: SeatConfig,
    reaches: (told: (doesReach: boolean) => void) => void,
  ) {
    const { rank, others } = config;
    this.#host = host;
    this.#config = config;
    this.#reaches = reaches;
    this.#others = others.map((node) => ({ node, port: webPort }));
    this.#standby = new Standby(config, { rank, startsAt: host.now() });
    this.#active = host.meter.gauge('active');
    this.#active.set(0);
    this.#tick();
  }

  heard(from: NodeId, beat: BeatMessage): void {
    if (!this.#config.others.includes(from)) return;
    const { term } = this.#standby.beat;
    const what = this.#standby.heard(beat, this.#host.now());
    if (what === 'insist') {
      this.#claim();
      this.#tell(this.#standby.beat);
    } else if (what === 'yield') {
      this.#active.set(0);
      this.#host.meter.note(`leaves the address to ${from}`);
      this.#left();
    } else if (beat.isActive && beat.term > term) this.#active.set(0);
    this.#takeIfDue();
  }

  /** `left` is called once somebody else has it, or nobody is there to. */
  leave(left: () => void): void {
    if (!this.#standby.isActive) return left();
    this.#whenLeft = left;
    this.#tell(this.#standby.leave());
    this.#host.after(2 * this.#config.silenceUs, () => this.#left());
  }

  #tick(): void {
    this.#takeIfDue();
    this.#tell(this.#standby.beat);
    this.#host.after(this.#config.heartbeatUs, () => this.#tick());
  }

  #takeIfDue(): void {
    if (this.#isAsking || !this.#standby.wants(this.#host.now())) return;
    this.#isAsking = true;
    this.#reaches((doesReach) => {
      this.#isAsking = false;
      // Somebody may have been heard meanwhile.
      if (!doesReach || !this.#standby.wants(this.#host.now())) return;
      const beat = this.#standby.take();
      this.#active.set(1);
      this.#host.meter.note(`takes the address, term ${beat.term}`);
      this.#claim();
      this.#tell(beat);
    });
  }

  #claim(): void {
    const { address } = this.#config;
    this.#host.send(control, { type: 'hold-address', address } satisfies HoldAddress);
  }

  #tell(beat: Beat): void {
    if (!beat.isActive) return;
    for (const other of this.#others) this.#host.send(other, { type: 'beat', ...beat });
  }

  /** Connections that were on their way when the address moved still come here: for one beat more. */
  #left(): void {
    const left = this.#whenLeft;
    this.#whenLeft = undefined;
    if (left) this.#host.after(this.#config.heartbeatUs, left);
  }
}
