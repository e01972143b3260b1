/**
 * The back of the envelope: from a rate and a few sizes to storage, memory, bandwidth, servers
 * and nines. Every figure carries how it came about, because an estimate that cannot be argued
 * with is worth little.
 *
 * Years have 365 days here, as on envelopes.
 */
import type { Micros } from '../host/host.ts';
import { formatBytes } from '../kit/units.ts';
import type { BlockView, StructuralView } from './structure.ts';

export interface EstimateInput {
  /** Requests a second, on average. */
  readonly ratePerSec: number;
  /** Share of requests that only read, 0 to 1. */
  readonly readRatio: number;
  /** What a write stores. */
  readonly recordBytes: number;
  /** What an answer to a read carries. */
  readonly replyBytes: number;
  readonly years: number;
  /** Copies of each record. */
  readonly replicas: number;
  /** Busiest second ÷ average second. */
  readonly peakFactor: number;
  /** Share of a day's reads that asks for most of what is asked: kept in memory. */
  readonly hotRatio: number;
  /** Processor time of a request. */
  readonly cpuUs: Micros;
  /** How long a request is in a server: processor time and waiting. */
  readonly latencyUs: Micros;
  /** Cores of one server. */
  readonly cores: number;
  /** How busy a server may be at peak; beyond about 0.7 queues grow faster than load. */
  readonly utilisationMax: number;
  /** Availability of each part that a request needs, and how many of it stand side by side. */
  readonly parts: readonly EstimatePart[];
  /** Letters of the alphabet that keys are written in. */
  readonly alphabet: number;
}

export interface EstimatePart {
  readonly name: string;
  /** Of one instance, 0 to 1. */
  readonly availability: number;
  readonly count: number;
  /** How many of them must be up. */
  readonly needed: number;
}

export const estimateDefaults: EstimateInput = {
  ratePerSec: 100,
  readRatio: 0.9,
  recordBytes: 500,
  replyBytes: 500,
  years: 10,
  replicas: 3,
  peakFactor: 3,
  hotRatio: 0.2,
  cpuUs: 1_000,
  latencyUs: 50_000,
  cores: 1,
  utilisationMax: 0.6,
  parts: [],
  alphabet: 62,
};

export interface Estimate {
  readonly input: EstimateInput;
  readonly figures: readonly Figure[];
}

export interface Figure {
  /** Stable: `storageBytes`. */
  readonly name: string;
  readonly section:
    | 'traffic'
    | 'storage'
    | 'memory'
    | 'network'
    | 'servers'
    | 'keys'
    | 'availability';
  readonly label: string;
  readonly value: number;
  /** The value for people. */
  readonly text: string;
  /** How it came about. */
  readonly how: string;
}

/** Availability of one node of ours, when nobody says better: nine hours a year for crashes and releases. */
const nodeAvailability = 0.999;

/** What a design already says about itself. */
export function inputOf(view: StructuralView): Partial<EstimateInput> {
  const replicas = Math.max(0, ...view.blocks.map(({ quorum }) => quorum?.copies ?? 0));
  const parts = view.blocks
    .filter((block) => !block.outside && block.nodes.length > 0 && isNeeded(block))
    .map((block) => ({
      name: block.name,
      availability: nodeAvailability,
      count: block.quorum?.copies ?? block.nodes.length,
      needed: neededOf(block),
    }));
  return {
    ...(view.ratePerSec === undefined ? {} : { ratePerSec: view.ratePerSec }),
    ...(replicas > 0 ? { replicas } : {}),
    parts,
  };
}

/** Callers go on without a cache, and with the lists that they have of who serves. */
function isNeeded({ lossOfNode, beside }: BlockView): boolean {
  return lossOfNode !== 'nothing' && beside === undefined;
}

/** Of what lives on one node alone all of it is there only while all nodes are. */
function neededOf({ nodes, quorum, lossOfNode }: BlockView): number {
  if (quorum) return Math.max(quorum.read, quorum.write);
  return lossOfNode === 'share' ? nodes.length : 1;
}

const daySeconds = 86_400;
export const yearSeconds = 365 * daySeconds;

export function estimateSystem(given: Partial<EstimateInput>): Estimate {
  const input: EstimateInput = { ...estimateDefaults, ...given };
  return {
    input,
    figures: [
      ...traffic(input),
      ...storage(input),
      ...memory(input),
      ...network(input),
      ...servers(input),
      ...keys(input),
      ...availability(input),
    ],
  };
}

function traffic({ ratePerSec, readRatio, peakFactor }: EstimateInput): Figure[] {
  const section = 'traffic';
  const reads = ratePerSec * readRatio;
  const writes = ratePerSec - reads;
  const daily = ratePerSec * daySeconds;
  return [
    {
      name: 'requestsPerDay',
      section,
      label: 'requests a day',
      value: daily,
      text: big(daily),
      how: `${plain(ratePerSec)}/s × 86,400 s`,
    },
    {
      name: 'peakPerSec',
      section,
      label: 'at peak',
      value: ratePerSec * peakFactor,
      text: `${plain(ratePerSec * peakFactor)}/s`,
      how: `average × ${plain(peakFactor)}`,
    },
    {
      name: 'readsPerSec',
      section,
      label: 'reads',
      value: reads,
      text: `${plain(reads)}/s`,
      how: `${percent(readRatio)} of requests`,
    },
    {
      name: 'writesPerSec',
      section,
      label: 'writes',
      value: writes,
      text: `${plain(writes)}/s`,
      how: 'the rest',
    },
  ];
}

function recordsOf({ ratePerSec, readRatio, years }: EstimateInput): number {
  return ratePerSec * (1 - readRatio) * years * yearSeconds;
}

function storage(input: EstimateInput): Figure[] {
  const section = 'storage';
  const { years, recordBytes, replicas } = input;
  const records = recordsOf(input);
  const bytes = records * recordBytes;
  return [
    {
      name: 'records',
      section,
      label: `records in ${plain(years)} years`,
      value: records,
      text: big(records),
      how: `writes × ${plain(years)} × ${big(yearSeconds)} s`,
    },
    {
      name: 'storageBytes',
      section,
      label: 'stored once',
      value: bytes,
      text: bytesText(bytes),
      how: `records × ${bytesText(recordBytes)}`,
    },
    {
      name: 'storageReplicatedBytes',
      section,
      label: 'with all copies',
      value: bytes * replicas,
      text: bytesText(bytes * replicas),
      how: `× ${replicas} replicas`,
    },
  ];
}

function memory({ ratePerSec, readRatio, hotRatio, replyBytes }: EstimateInput): Figure[] {
  const readsPerDay = ratePerSec * readRatio * daySeconds;
  const bytes = readsPerDay * hotRatio * replyBytes;
  return [
    {
      name: 'hotSetBytes',
      section: 'memory',
      label: 'cache for the hot set',
      value: bytes,
      text: bytesText(bytes),
      how: `${percent(hotRatio)} of a day's reads × ${bytesText(replyBytes)}; an upper bound, as if no key repeated`,
    },
  ];
}

function network(input: EstimateInput): Figure[] {
  const section = 'network';
  const { ratePerSec, readRatio, recordBytes, replyBytes, peakFactor, replicas } = input;
  const inward = ratePerSec * (1 - readRatio) * recordBytes * peakFactor;
  const outward = ratePerSec * readRatio * replyBytes * peakFactor;
  return [
    {
      name: 'inBytesPerSec',
      section,
      label: 'in, at peak',
      value: inward,
      text: `${bytesText(inward)}/s`,
      how: `writes × ${bytesText(recordBytes)} × ${plain(peakFactor)}`,
    },
    {
      name: 'outBytesPerSec',
      section,
      label: 'out, at peak',
      value: outward,
      text: `${bytesText(outward)}/s`,
      how: `reads × ${bytesText(replyBytes)} × ${plain(peakFactor)}`,
    },
    {
      name: 'replicationBytesPerSec',
      section,
      label: 'between replicas, at peak',
      value: inward * (replicas - 1),
      text: `${bytesText(inward * (replicas - 1))}/s`,
      how: `in × ${replicas - 1} further copies`,
    },
  ];
}

function servers(input: EstimateInput): Figure[] {
  const section = 'servers';
  const { ratePerSec, peakFactor, cpuUs, latencyUs, cores, utilisationMax } = input;
  const peak = ratePerSec * peakFactor;
  const busyCores = (peak * cpuUs) / 1e6;
  const count = Math.max(1, roundUp(busyCores / utilisationMax / cores));
  const inFlight = (peak * latencyUs) / 1e6;
  return [
    {
      name: 'busyCores',
      section,
      label: 'cores busy at peak',
      value: busyCores,
      text: plain(busyCores),
      how: `${plain(peak)}/s × ${plain(cpuUs / 1_000)} ms of processor time`,
    },
    {
      name: 'servers',
      section,
      label: 'servers',
      value: count,
      text: plain(count),
      how: `${cores === 1 ? 'one core' : `${cores} cores`} each, at most ${percent(utilisationMax)} busy; one more if one may die`,
    },
    {
      name: 'inFlight',
      section,
      label: 'requests in flight',
      value: inFlight,
      text: plain(inFlight),
      how: `Little's law: peak rate × ${plain(latencyUs / 1_000)} ms`,
    },
  ];
}

function keys(input: EstimateInput): Figure[] {
  const width = keyWidth(recordsOf(input), input.alphabet);
  const capacity = input.alphabet ** width;
  return [
    {
      name: 'keyWidth',
      section: 'keys',
      label: 'key length',
      value: width,
      text: `${width} characters`,
      how: `${input.alphabet}^${width} = ${big(capacity)} keys for ${big(recordsOf(input))} records`,
    },
    {
      name: 'keysLastPerSec',
      section: 'keys',
      label: 'new keys it can take',
      value: capacity / (input.years * yearSeconds),
      text: `${plain(Math.floor(capacity / (input.years * yearSeconds)))}/s`,
      how: `for ${plain(input.years)} years, before they run out`,
    },
  ];
}

/** The shortest key that can name every one of `records`. */
export function keyWidth(records: number, alphabet: number): number {
  let width = 1;
  while (alphabet ** width < records && width < 64) width++;
  return width;
}

function availability({ parts }: EstimateInput): Figure[] {
  if (parts.length === 0) return [];
  const section = 'availability';
  const figures: Figure[] = parts.map((part) => {
    const value = inParallel(part.availability, part.count, part.needed);
    return {
      name: `availability of ${part.name}`,
      section,
      label: part.name,
      value,
      text: ninesText(value),
      how: `${part.needed} of ${part.count} must be up, each ${ninesText(part.availability)} of the time`,
    };
  });
  const whole = inSeries(figures.map(({ value }) => value));
  return [
    ...figures,
    {
      name: 'availability',
      section,
      label: 'all of them',
      value: whole,
      text: ninesText(whole),
      how: 'one after another: the product, if they fail independently',
    },
    {
      name: 'downSecondsPerYear',
      section,
      label: 'down in a year',
      value: (1 - whole) * yearSeconds,
      text: lasting((1 - whole) * yearSeconds),
      how: `(1 - availability) × ${big(yearSeconds)} s`,
    },
  ];
}

/** All must be up: the product. */
export function inSeries(availabilities: readonly number[]): number {
  return availabilities.reduce((product, each) => product * each, 1);
}

/** At least `needed` of `count` independent instances must be up: a binomial tail. */
export function inParallel(availability: number, count: number, needed: number): number {
  let total = 0;
  for (let up = needed; up <= count; up++) {
    total += choose(count, up) * availability ** up * (1 - availability) ** (count - up);
  }
  return Math.min(1, total);
}

function choose(n: number, k: number): number {
  let ways = 1;
  for (let i = 1; i <= k; i++) ways = (ways * (n - k + i)) / i;
  return ways;
}

/** How many nines: 0.999 has 3. */
export function nines(availability: number): number {
  return availability >= 1 ? Number.POSITIVE_INFINITY : -Math.log10(1 - availability);
}

function ninesText(availability: number): string {
  if (availability >= 1) return '100%';
  // As many decimals as the nines need, and one more.
  const decimals = Math.min(12, Math.max(1, Math.ceil(nines(availability)) - 1));
  const text = (availability * 100).toFixed(decimals);
  if (text === (100).toFixed(decimals)) return '> 99.9999999999%';
  return `${Number(text)}%`;
}

function lasting(seconds: number): string {
  if (seconds < 1) return `${plain(seconds * 1_000)} ms`;
  if (seconds < 120) return `${plain(seconds)} s`;
  if (seconds < 2 * 3_600) return `${plain(seconds / 60)} min`;
  if (seconds < 2 * daySeconds) return `${plain(seconds / 3_600)} h`;
  return `${plain(seconds / daySeconds)} days`;
}

/** Rounds up, but not because of the last bit of a division: 3.0000000000000004 servers are 3. */
function roundUp(value: number): number {
  return Math.ceil(Number(value.toPrecision(12)));
}

function percent(ratio: number): string {
  return `${plain(ratio * 100)}%`;
}

function bytesText(bytes: number): string {
  return bytes < 1e15 ? formatBytes(Math.round(bytes)) : `${plain(bytes / 1e15)}PB`;
}

/** Four significant digits, with thousands marked. */
function plain(value: number): string {
  const rounded = Math.abs(value) >= 1_000 ? Math.round(value) : Number(value.toPrecision(4));
  const [whole, fraction] = String(rounded).split('.');
  const marked = whole!.replace(/\B(?=(\d{3})+(?!\d))/g, ',');
  return fraction === undefined ? marked : `${marked}.${fraction}`;
}

function big(value: number): string {
  const names = [
    [1e12, 'trillion'],
    [1e9, 'billion'],
    [1e6, 'million'],
  ] as const;
  for (const [size, name] of names) {
    if (value >= size) return `${plain(Number((value / size).toPrecision(4)))} ${name}`;
  }
  return plain(value);
}
