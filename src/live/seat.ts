/** What the supervisor keeps of one node, over all its lives. */
import type { NodePlan } from '../host/plan.ts';
import { type ErrorCode, LoadpathError } from '../kit/errors.ts';
import type { MetersSnapshot } from '../kit/meters.ts';
import type { Reading } from './live-node.ts';
import type { Life } from './process.ts';
import type { SeatState } from './system.ts';
import type { Peer, TransportCounts } from './transport.ts';

/** The place of one node: its lives come and go. */
export class Seat {
  readonly node: NodePlan;
  state: SeatState = 'down';
  life = 0;
  handle: Life | undefined;
  /** This life knows its peers, and boots or has booted. */
  isStarted = false;
  peer: Peer | undefined;
  edgePorts: Record<string, number> = {};
  boots = 0;
  restarts = 0;
  /** Of lives that are over, and the present one's: now, and when counting began. */
  busyBeforeUs = 0;
  busyUs = 0;
  busyFromUs = 0;
  /** In a row, and all of one kind: its own, or the machine's. */
  failures = 0;
  isMachineToBlame = false;
  upAtMs = 0;
  /** How many faults keep it down. */
  holds = 0;
  pauses = 0;
  /** Stopped for good: no life follows. */
  isGone = false;
  /** This life is ended on purpose: its end is no failure. */
  doomed = false;
  timer: NodeJS.Timeout | undefined;
  lastLines: string[] = [];
  crash: { readonly code: ErrorCode | undefined; readonly message: string } | undefined;
  past: MetersSnapshot[] = [];
  current: MetersSnapshot = [];
  transport: TransportCounts | undefined;
  /** Who wants to know when the present life is over. */
  endings: (() => void)[] = [];
  readings: (() => void)[] = [];

  #heardAtMs = 0;
  #silentMs = 0;

  constructor(node: NodePlan) {
    this.node = node;
  }

  /** That it is given up, in words. */
  failure(why: string): LoadpathError {
    const { id } = this.node;
    if (this.crash?.code !== undefined) return new LoadpathError(this.crash.code, `${id}: ${why}`);
    const lines = this.lastLines.map((line) => `  ${line}`).join('\n');
    const said = lines ? ` It said last:\n${lines}` : '';
    const text = `${id} does not stay up: ${why}. Tried ${this.failures} times.${said}`;
    return new LoadpathError('node-failed', text);
  }

  /** Once a second, and when it is asked. */
  read({ meters, processBusyUs, transport }: Reading): void {
    if (meters) this.current = meters;
    this.busyUs = processBusyUs;
    this.transport = transport;
    this.#silentMs = this.silentMs;
    this.heard();
  }

  /** From now on its silence counts. */
  heard(): void {
    this.#heardAtMs = performance.now();
  }

  /** The longest that it did not come round to telling what it counts, while it was up and not made to stand still. */
  get silentMs(): number {
    const isToSpeak = this.state === 'up' && this.pauses === 0;
    const sinceMs = isToSpeak ? performance.now() - this.#heardAtMs : 0;
    return Math.max(this.#silentMs, sinceMs);
  }
}
