/**
 * The parts under the store, in nanoseconds a call, beside a peer where there is one.
 *
 *   node bench/parts.mjs [--quick]        (built first: npm run build)
 *
 * Ring: ten nodes, three owners of a key, keys never seen before and keys seen again. `hashring` is
 * set up with as many points a node; it places each key by MD5 and remembers results, which is why
 * both rows are shown. Peers run in turn in one process; figures are medians of the rounds.
 */
import HashRing from 'hashring';
import { encode } from '../dist/parts/codec.js';
import { crc32c } from '../dist/parts/crc32c.js';
import { HybridClock } from '../dist/parts/hlc.js';
import { Ring } from '../dist/parts/ring.js';
import { Bench, isQuick } from './kit.mjs';

const rounds = isQuick ? 3 : 7;
const calls = isQuick ? 50_000 : 200_000;
const tokens = 128;

const ids = Array.from({ length: 10 }, (_, i) => `links/${i}`);
const ring = new Ring(
  ids.map((id, i) => ({ id, zone: 'abc'[i % 3] })),
  { tokens },
);
const peer = new HashRing(ids, 'md5', { 'vnode count': tokens });
const clock = new HybridClock('api/0#1');
const page = new Uint8Array(4_096).fill(7);
const record = {
  do: 'store',
  key: 'k123',
  entry: { version: clock.next(1), value: page.slice(0, 200) },
};

let fresh = 0;
const freshKeys = () => {
  const from = fresh;
  fresh += calls;
  return Array.from({ length: calls }, (_, i) => `key-${from + i}`);
};
const knownKeys = Array.from({ length: calls }, (_, i) => `known-${i % 1_000}`);

/** Kept, so that nothing measured is thrown away by the compiler. */
let sink = 0;
const rows = [
  ['ring, 3 owners, new keys', freshKeys, (key) => ring.owners(key, 3).length],
  ['  hashring', freshKeys, (key) => peer.range(key, 3).length],
  ['ring, 1 owner, new keys', freshKeys, (key) => ring.owners(key, 1).length],
  ['  hashring', freshKeys, (key) => peer.get(key).length],
  ['ring, 1 owner, known keys', () => knownKeys, (key) => ring.owners(key, 1).length],
  ['  hashring', () => knownKeys, (key) => peer.get(key).length],
  ['hybrid clock, next', () => knownKeys, () => clock.next(5).count],
  ['crc32c, 4 KiB', () => knownKeys.slice(0, calls / 20), () => crc32c(page)],
  ['encode a log record of 200 B', () => knownKeys, () => encode(record).length],
];

const bench = new Bench('parts', 'The parts under the store, a call');
const balance = {};
const samples = rows.map(() => []);
for (let round = 0; round < rounds; round++) {
  rows.forEach(([, keysOf, call], i) => {
    const keys = keysOf();
    const began = performance.now();
    for (let k = 0; k < keys.length; k++) sink += call(keys[k]);
    samples[i].push(((performance.now() - began) * 1e6) / keys.length);
  });
}
const medians = samples.map((list) => list.sort((a, b) => a - b)[list.length >> 1]);
rows.forEach(([what], i) => {
  if (what.startsWith('  ')) return;
  const hasPeer = rows[i + 1]?.[0].startsWith('  ');
  bench.figure({
    id: `parts-${what.replaceAll(/[^a-z0-9]+/gi, '-')}`,
    what,
    unit: 'ns',
    better: 'less',
    value: medians[i],
    ...(hasPeer ? { peer: 'hashring', peerValue: medians[i + 1] } : {}),
  });
});

const load = (ownerOf) => {
  const counts = new Map(ids.map((id) => [id, 0]));
  for (let i = 0; i < 100_000; i++) {
    const owner = ownerOf(`balance-${i}`);
    counts.set(owner, counts.get(owner) + 1);
  }
  return Math.max(...counts.values()) / 10_000;
};
balance.fullestToMean = Number(load((key) => ring.owners(key, 1)[0]).toFixed(3));
balance.fullestToMeanHashring = Number(load((key) => peer.get(key)).toFixed(3));
console.log(
  `fullest node to the mean: ${balance.fullestToMean}, hashring ${balance.fullestToMeanHashring}`,
);
if (sink === 0) throw new Error('nothing ran');
bench.also(balance);
bench.end();
