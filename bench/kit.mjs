/**
 * What every bench shares: CPU-time stopwatch, medians, a build check, and one form of result.
 *
 * A bench prints what a person reads, and ends with one line of JSON that `run.mjs` collects:
 *
 *   { bench, seconds, figures: [ { id, what, unit, value, better, peer?, peerValue?, ratio?, aim? } ], … }
 *
 * `ratio` is how many times better ours is than the peer's in the same run; `atLeast` and `aim` are what the
 * design asks of it.
 */
import { cpus } from 'node:os';

export const isQuick = process.argv.includes('--quick');

/** CPU seconds of this process, all threads: on a busy machine fairer than the clock. */
export function cpuSeconds() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

export function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[sorted.length >> 1];
}

/** The median of each figure, from several results of the same shape. */
export function medians(results) {
  const names = Object.keys(results[0]);
  return Object.fromEntries(names.map((name) => [name, median(results.map((one) => one[name]))]));
}

/** Three significant digits: more would claim a precision that no machine has. */
export function rounded(value) {
  return value === 0 ? 0 : Number(value.toPrecision(3));
}

export function machine() {
  return `${cpus()[0]?.model ?? 'unknown processor'}, ${cpus().length} cores`;
}

/**
 * Rounds in turn, so that a busy machine slows all alike. Each of `contenders` does its work and
 * returns how much it did; the answer is the median of work per CPU-second, by name.
 */
export async function perCpuSecond(contenders, rounds) {
  const rates = Object.fromEntries(Object.keys(contenders).map((name) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const [name, work] of Object.entries(contenders)) {
      const before = cpuSeconds();
      const done = await work(round);
      rates[name].push(done / (cpuSeconds() - before));
    }
  }
  return Object.fromEntries(Object.entries(rates).map(([name, list]) => [name, median(list)]));
}

export class Bench {
  #figures = [];
  #name;
  #more = {};

  constructor(name, title) {
    this.#name = name;
    console.log(`${title}\n${machine()}, Node ${process.version}`);
  }

  /** `better` is 'more' or 'less'. */
  figure({ better = 'more', ...figure }) {
    const { value, peerValue } = figure;
    const rough = { ...figure, better, value: rounded(value) };
    if (peerValue !== undefined) {
      rough.peerValue = rounded(peerValue);
      rough.ratio = rounded(better === 'more' ? value / peerValue : peerValue / value);
    }
    this.#figures.push(rough);
    const beside =
      peerValue === undefined
        ? ''
        : `   ${figure.peer} ${show(rough.peerValue)}   ratio ${rough.ratio}`;
    console.log(
      `${figure.what.padEnd(62)} ${show(rough.value).padStart(10)} ${figure.unit}${beside}`,
    );
  }

  /** Data beside the figures, such as the table of a whole curve. */
  also(more) {
    Object.assign(this.#more, more);
  }

  end() {
    console.log(
      JSON.stringify({
        bench: this.#name,
        figures: this.#figures,
        ...this.#more,
        seconds: Math.round(performance.now() / 1e3),
        cpuSeconds: Math.round(cpuSeconds()),
      }),
    );
  }
}

function show(value) {
  return value.toLocaleString('en-US', { maximumSignificantDigits: 3 });
}
