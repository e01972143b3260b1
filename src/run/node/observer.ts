/**
 * What is seen of a live run while it goes on, second by second: progress for status lines, frames
 * for Studio, rows for the report. Nodes tell what they counted each at its own instant; here it is
 * put together, and nothing is kept that the report does not need.
 *
 *   nodes   ──window── ──window── …     each about once a second, and whenever it is asked
 *   seconds |    0    |    1    | …     a window belongs to where its middle lies
 */
import { declarationsOf, type System } from '../../design/system.ts';
import type { RunEvent } from '../../host/events.ts';
import type { Fault } from '../../host/fault.ts';
import type { Micros } from '../../host/host.ts';
import type { NodePlan, Plan } from '../../host/plan.ts';
import type { MeterReading, MetersWindow } from '../../kit/meters.ts';
import type { LiveSystem } from '../../live/supervisor.ts';
import type { Watch } from '../api.ts';
import { Framer, frameLengthUs } from '../framer.ts';
import type { FrameLayout } from '../frames.ts';
import { Progressing } from '../progress.ts';
import type { Series } from '../report.ts';
import { SeriesTable } from '../series.ts';

const secondUs: Micros = 1_000_000;
/** A node that stands still does not answer: its counts are shown when it goes on. */
const readMaxMs = 300;

export class Observer {
  readonly #watch: Watch;
  readonly #forUs: Micros | undefined;
  readonly #series: SeriesTable;
  readonly #framer: Framer | undefined;
  readonly #progressing: Progressing | undefined;
  /** Told, and of a second that is not closed yet. */
  #open: MetersWindow[] = [];
  /** Undefined before the load: what comes then is a warm-up. */
  #system: LiveSystem | undefined;
  #toldLayout: FrameLayout | undefined;
  #beganAt: Micros = 0;
  #closedUs: Micros = 0;
  #timer: NodeJS.Timeout | undefined;
  #closing: Promise<void> | undefined;
  #isOver = false;

  /** `forUs`: how long the load lasts, undefined when that is not known. */
  constructor(
    design: System,
    plan: Plan,
    watch: Watch,
    asked: {
      readonly forUs: Micros | undefined;
      readonly load: Parameters<typeof declarationsOf>[1];
      /** Without users there is no progress to tell. */
      readonly hasUsers: boolean;
    },
  ) {
    const { forUs } = asked;
    this.#watch = watch;
    this.#forUs = forUs;
    this.#series = new SeriesTable(plan);
    if (asked.hasUsers && watch.onProgress) this.#progressing = new Progressing(forUs);
    if (!watch.onFrame && !watch.onLayout) return;
    const declarations = declarationsOf(design, asked.load);
    // An endless run has no number of frames: whoever keeps them decides how many.
    const frameUs = forUs === undefined ? secondUs : frameLengthUs(forUs, 600, secondUs);
    this.#framer = new Framer({ plan, declarations, frameUs, forUs: forUs ?? null });
  }

  hear(event: RunEvent): void {
    this.#framer?.hear({ ...event, at: event.at - this.#beganAt });
  }

  /** A node has come: `plan` names it too. */
  join(node: NodePlan, plan: Plan): void {
    this.#series.join(node);
    this.#framer?.join(plan);
  }

  fault(fault: Fault, began: boolean): void {
    if (this.#system) this.#framer?.fault(this.#system.now() - this.#beganAt, fault, began);
  }

  window(window: MetersWindow): void {
    if (this.#system) this.#open.push(window);
    if (!this.#isWatched) this.#keepAll();
  }

  /** The load begins: call it right after the meters were cleared. */
  begin(system: LiveSystem, beganAt: Micros): void {
    this.#beganAt = beganAt;
    this.#system = system;
    this.#framer?.begin(busyOf(system));
    this.#tellLayout();
    this.#arm();
  }

  /** The load is over, after `loadUs`: shows what has not been shown of it, and nothing more. */
  async end(loadUs: Micros): Promise<void> {
    clearTimeout(this.#timer);
    this.#isOver = true;
    await this.#closing;
    const untilUs = Math.min(loadUs, this.#forUs ?? loadUs);
    if (this.#isWatched && untilUs > this.#closedUs) await this.#close(untilUs);
  }

  /** Every whole second of the load. */
  series(loadUs: Micros): Series {
    this.#keepAll();
    return this.#series.series(Math.floor(loadUs / secondUs));
  }

  get #isWatched(): boolean {
    return this.#progressing !== undefined || this.#framer !== undefined;
  }

  /** Again when nodes have come. */
  #tellLayout(): void {
    const layout = this.#framer?.layout;
    if (layout === undefined || layout === this.#toldLayout) return;
    this.#toldLayout = layout;
    this.#watch.onLayout?.(layout);
  }

  #arm(): void {
    const toUs = this.#closedUs + secondUs;
    // The last second is closed by the end of the load.
    if (this.#isOver || !this.#isWatched || toUs >= (this.#forUs ?? Number.POSITIVE_INFINITY))
      return;
    const dueUs = this.#beganAt + toUs - this.#system!.now();
    this.#timer = setTimeout(
      () => {
        this.#closing = this.#close(toUs).then(() => this.#arm());
      },
      Math.max(0, dueUs / 1_000),
    );
  }

  async #close(toUs: Micros): Promise<void> {
    const system = this.#system!;
    await system.read(readMaxMs);
    const fromUs = this.#closedUs;
    this.#closedUs = toUs;
    const readings: MeterReading[] = [];
    const later: MetersWindow[] = [];
    for (const window of this.#open) {
      const middle = this.#middle(window);
      if (middle >= toUs && !this.#isOver) {
        later.push(window);
        continue;
      }
      // What comes late is shown late; the report counts it where it belongs.
      if (middle >= 0) readings.push(...window.readings);
      this.#keep(window);
    }
    this.#open = later;
    const window = { fromUs, toUs, readings };
    if (this.#progressing) this.#watch.onProgress?.(this.#progressing.after(toUs, window));
    const framer = this.#framer;
    if (!framer) return;
    framer.add(readings);
    if (toUs < framer.dueUs && !this.#isOver) return;
    this.#tellLayout();
    this.#watch.onFrame?.(framer.close(toUs, busyOf(system)));
  }

  #keepAll(): void {
    for (const window of this.#open) this.#keep(window);
    this.#open = [];
  }

  #keep(window: MetersWindow): void {
    const middle = this.#middle(window);
    if (middle >= 0) this.#series.add(Math.floor(middle / secondUs), window.readings);
  }

  #middle({ fromUs, toUs }: MetersWindow): Micros {
    return (fromUs + toUs) / 2 - this.#beganAt;
  }
}

function busyOf(system: LiveSystem): (node: string) => Micros {
  const busyUs = new Map(system.status().map((node) => [node.id, node.busyUs]));
  return (node) => busyUs.get(node) ?? 0;
}
