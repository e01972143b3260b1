/**
 * What programs counted, by node and block: the registry behind `Host.meter` in both worlds.
 * Snapshots are plain data and add up, so that a supervisor can merge what its children send.
 */
import type { Counter, Gauge, Meter, Micros, NodeId, Recorder } from '../host/host.ts';
import { Histogram, type HistogramData } from './histogram.ts';

export interface MeterReading {
  readonly node: NodeId;
  readonly block: string;
  readonly counters: Readonly<Record<string, number>>;
  readonly gauges: Readonly<Record<string, GaugeReading>>;
  readonly histograms: Readonly<Record<string, HistogramData>>;
}

/** The value last set, and the least and greatest since the start (in a window: within it). */
export interface GaugeReading {
  readonly last: number;
  readonly min: number;
  readonly max: number;
}

export type MetersSnapshot = readonly MeterReading[];

/** What happened between two closings of a window: counters and histograms are differences. */
export interface MetersWindow {
  readonly fromUs: Micros;
  readonly toUs: Micros;
  readonly readings: MetersSnapshot;
}

export class Meters {
  readonly #groups = new Map<string, Group>();
  #windowFromUs: Micros;

  constructor(startUs: Micros = 0) {
    this.#windowFromUs = startUs;
  }

  /** Programs of one node and block share their meters, and so do the lives of a node. */
  meter(node: NodeId, block: string, onNote: OnNote): Meter {
    const key = `${node} ${block}`;
    let group = this.#groups.get(key);
    if (!group) {
      group = new Group(node, block);
      this.#groups.set(key, group);
    }
    return new GroupMeter(group, onNote);
  }

  /** Everything since the start, or since `clear`. */
  snapshot(): MetersSnapshot {
    return [...this.#groups.values()].map((group) => group.total());
  }

  /** Closes the window that began at the last call. Groups in which nothing happened are left out. */
  window(atUs: Micros): MetersWindow {
    const readings: MeterReading[] = [];
    for (const group of this.#groups.values()) {
      const reading = group.window();
      if (reading) readings.push(reading);
    }
    const window = { fromUs: this.#windowFromUs, toUs: atUs, readings };
    this.#windowFromUs = atUs;
    return window;
  }

  /** Forgets all counts but keeps the meters: the end of a warm-up. Gauges keep their last value. */
  clear(atUs: Micros): void {
    for (const group of this.#groups.values()) group.clear();
    this.#windowFromUs = atUs;
  }
}

/** Adds snapshots of different processes, or of replications. */
export function mergeSnapshots(snapshots: readonly MetersSnapshot[]): MetersSnapshot {
  const merged = new Map<string, MeterReading>();
  for (const reading of snapshots.flat()) {
    const key = `${reading.node} ${reading.block}`;
    const other = merged.get(key);
    merged.set(key, other ? mergeReadings(other, reading) : reading);
  }
  return [...merged.values()];
}

function mergeReadings(a: MeterReading, b: MeterReading): MeterReading {
  return {
    node: a.node,
    block: a.block,
    counters: mergeFields(a.counters, b.counters, (x, y) => x + y),
    gauges: mergeFields(a.gauges, b.gauges, (x, y) => ({
      last: y.last,
      min: Math.min(x.min, y.min),
      max: Math.max(x.max, y.max),
    })),
    histograms: mergeFields(a.histograms, b.histograms, (x, y) => {
      const histogram = Histogram.fromJSON(x);
      histogram.add(y);
      return histogram.toJSON();
    }),
  };
}

function mergeFields<T>(
  a: Readonly<Record<string, T>>,
  b: Readonly<Record<string, T>>,
  add: (x: T, y: T) => T,
): Record<string, T> {
  const merged: Record<string, T> = { ...a };
  for (const [name, value] of Object.entries(b)) {
    const other = merged[name];
    merged[name] = other === undefined ? value : add(other, value);
  }
  return merged;
}

class CounterCell implements Counter {
  total = 0;
  windowed = 0;

  add(by = 1): void {
    this.total += by;
  }
}

class GaugeCell implements Gauge {
  last = 0;
  min = 0;
  max = 0;
  windowMin = 0;
  windowMax = 0;

  set(value: number): void {
    this.last = value;
    if (value < this.min) this.min = value;
    if (value > this.max) this.max = value;
    if (value < this.windowMin) this.windowMin = value;
    if (value > this.windowMax) this.windowMax = value;
  }
}

/** The window's own histogram is folded into the total when the window closes: one record a value. */
class HistogramCell implements Recorder {
  readonly total = new Histogram();
  readonly windowed = new Histogram();

  record(value: number): void {
    this.windowed.record(value);
  }

  fold(): void {
    this.total.merge(this.windowed);
    this.windowed.clear();
  }
}

class Group {
  readonly node: NodeId;
  readonly block: string;
  readonly counters = new Map<string, CounterCell>();
  readonly gauges = new Map<string, GaugeCell>();
  readonly histograms = new Map<string, HistogramCell>();

  constructor(node: NodeId, block: string) {
    this.node = node;
    this.block = block;
  }

  total(): MeterReading {
    return {
      node: this.node,
      block: this.block,
      counters: fields(this.counters, (cell) => cell.total),
      gauges: fields(this.gauges, ({ last, min, max }) => ({ last, min, max })),
      histograms: fields(this.histograms, (cell) => {
        if (cell.windowed.count === 0) return cell.total.toJSON();
        const sum = Histogram.fromJSON(cell.total.toJSON());
        sum.merge(cell.windowed);
        return sum.toJSON();
      }),
    };
  }

  window(): MeterReading | undefined {
    let busy = false;
    const counters = fields(this.counters, (cell) => {
      const since = cell.total - cell.windowed;
      cell.windowed = cell.total;
      busy ||= since !== 0;
      return since;
    });
    const histograms = fields(this.histograms, (cell) => {
      const data = cell.windowed.toJSON();
      busy ||= data.count > 0;
      cell.fold();
      return data;
    });
    const gauges = fields(this.gauges, (cell) => {
      const reading = { last: cell.last, min: cell.windowMin, max: cell.windowMax };
      busy ||= reading.min !== 0 || reading.max !== 0;
      cell.windowMin = cell.last;
      cell.windowMax = cell.last;
      return reading;
    });
    return busy ? { node: this.node, block: this.block, counters, gauges, histograms } : undefined;
  }

  clear(): void {
    for (const cell of this.counters.values()) {
      cell.total = 0;
      cell.windowed = 0;
    }
    for (const cell of this.gauges.values()) {
      cell.min = cell.last;
      cell.max = cell.last;
      cell.windowMin = cell.last;
      cell.windowMax = cell.last;
    }
    for (const cell of this.histograms.values()) {
      cell.total.clear();
      cell.windowed.clear();
    }
  }
}

type OnNote = (text: string, isAlarm: boolean) => void;

class GroupMeter implements Meter {
  readonly #group: Group;
  readonly #onNote: OnNote;

  constructor(group: Group, onNote: OnNote) {
    this.#group = group;
    this.#onNote = onNote;
  }

  counter(name: string): Counter {
    return cellOf(this.#group.counters, name, () => new CounterCell());
  }

  gauge(name: string): Gauge {
    return cellOf(this.#group.gauges, name, () => new GaugeCell());
  }

  histogram(name: string): Recorder {
    return cellOf(this.#group.histograms, name, () => new HistogramCell());
  }

  note(text: string): void {
    this.#onNote(text, false);
  }

  alarm(text: string): void {
    this.#onNote(text, true);
  }
}

function cellOf<T>(cells: Map<string, T>, name: string, make: () => T): T {
  let cell = cells.get(name);
  if (!cell) {
    cell = make();
    cells.set(name, cell);
  }
  return cell;
}

function fields<T, R>(cells: ReadonlyMap<string, T>, read: (cell: T) => R): Record<string, R> {
  const record: Record<string, R> = {};
  for (const [name, cell] of cells) record[name] = read(cell);
  return record;
}
