/**
 * A run second by second, for the report: only the figures are kept, so that a run of hours costs a
 * few numbers a second. Readings may come in pieces and, live, late: a node that stood still tells
 * what it did before when it goes on.
 */
import type { NodePlan, Plan } from '../host/plan.ts';
import { Histogram, type HistogramData } from '../kit/histogram.ts';
import type { MetersSnapshot } from '../kit/meters.ts';
import type { Series } from './report.ts';

interface Row {
  throughput: number;
  errors: number;
  p50Ms: number;
  p99Ms: number;
  /** By block. */
  readonly requests: Record<string, number>;
  /** Until percentiles are made of them. */
  latencies: HistogramData[];
}

/**
 * Seconds that stay open. What comes later than this is counted, and leaves the percentiles of its
 * second as they are: a node must have stood still for longer, and users do not.
 */
const openMax = 600;

export class SeriesTable {
  readonly #members: Map<string, string>;
  readonly #blocks: readonly string[];
  readonly #rows: Row[] = [];
  readonly #scratch = new Histogram();
  #sealedCount = 0;

  constructor(plan: Plan) {
    this.#members = new Map(plan.nodes.map(({ id, block }) => [id, block]));
    this.#blocks = [...new Set(this.#members.values())].filter((block) => block !== 'users');
  }

  /** A node that no plan named. */
  join({ id, block }: NodePlan): void {
    this.#members.set(id, block);
  }

  /** What was counted in this second, or in a part of it. */
  add(second: number, readings: MetersSnapshot): void {
    while (this.#rows.length <= second) this.#rows.push(this.#row());
    const row = this.#rows[second]!;
    for (const { node, block, counters, histograms } of readings) {
      if (block === 'users') {
        row.throughput += counters.completed ?? 0;
        row.errors += (counters.failed ?? 0) + (counters.rejected ?? 0);
        const { latency } = histograms;
        if (latency && latency.count > 0 && second >= this.#sealedCount) {
          row.latencies.push(latency);
        }
      } else if (this.#members.get(node) === block) {
        row.requests[block] = (row.requests[block] ?? 0) + (counters.requests ?? 0);
      }
    }
    while (this.#sealedCount < this.#rows.length - openMax) this.#seal();
  }

  /** The first `seconds` of them; all when undefined. */
  series(seconds = this.#rows.length): Series {
    while (this.#rows.length < seconds) this.#rows.push(this.#row());
    const rows = this.#rows.slice(0, seconds);
    for (const row of rows) this.#measure(row);
    return {
      at: rows.map((_row, index) => index),
      throughput: rows.map((row) => row.throughput),
      p50Ms: rows.map((row) => row.p50Ms),
      p99Ms: rows.map((row) => row.p99Ms),
      errors: rows.map((row) => row.errors),
      blocks: Object.fromEntries(
        this.#blocks.map((block) => [block, rows.map((row) => row.requests[block]!)]),
      ),
    };
  }

  #row(): Row {
    const requests = Object.fromEntries(this.#blocks.map((block) => [block, 0]));
    return { throughput: 0, errors: 0, p50Ms: 0, p99Ms: 0, requests, latencies: [] };
  }

  #seal(): void {
    const row = this.#rows[this.#sealedCount++]!;
    this.#measure(row);
    row.latencies = [];
  }

  #measure(row: Row): void {
    if (row.latencies.length === 0) return;
    const scratch = this.#scratch;
    scratch.clear();
    for (const data of row.latencies) scratch.add(data);
    row.p50Ms = scratch.percentile(50) / 1_000;
    row.p99Ms = scratch.percentile(99) / 1_000;
  }
}
