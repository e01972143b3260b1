/** How many keys change their server when one comes or goes: hash mod N, ring, rendezvous. */
import { bars, lab, percent, table } from 'loadpath/lab';
import { seeded } from 'loadpath/parts/balance';
import { SourceHash } from 'loadpath/parts/balance/hashed';
import { Ring } from 'loadpath/parts/ring';

const changes = [
  [4, 5],
  [10, 11],
  [8, 16],
  [10, 9],
] as const;

/** FNV-1a: any good hash does. */
function hash(text: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

const names = (count: number) => Array.from({ length: count }, (_, index) => `server/${index}`);

function modN(count: number): (key: string) => string {
  const servers = names(count);
  return (key) => servers[hash(key) % count]!;
}

function ring(count: number): (key: string) => string {
  const made = new Ring(
    names(count).map((id) => ({ id, zone: '' })),
    { tokens: 256 },
  );
  return (key) => made.owners(key, 1)[0]!;
}

function rendezvous(count: number): (key: string) => string {
  const targets = names(count).map((id) => ({ id, open: 0, avoidUntil: 0 }));
  const balancer = new SourceHash<(typeof targets)[number]>(seeded(1));
  return (key) => balancer.pick(targets, 0, undefined, key)!.id;
}

function moved(
  make: (count: number) => (key: string) => string,
  from: number,
  to: number,
  keys: number,
) {
  const [before, after] = [make(from), make(to)];
  let count = 0;
  let needless = 0;
  for (let i = 0; i < keys; i++) {
    const key = `user ${i}`;
    const [old, now] = [before(key), after(key)];
    if (old === now) continue;
    count++;
    // Between two servers that are there before and after, nothing had to move.
    if (Number(old.slice(7)) < to && Number(now.slice(7)) < from) needless++;
  }
  return { moved: count / keys, needless: needless / keys };
}

export default lab({
  id: 'lab-modn',
  claims: ['lab-modn'],
  title: 'Hash mod N moves nearly everything',
  claim: 'hash mod N moves most keys when N changes.',
  question:
    'Servers come and go. What share of keys changes its server with hash mod N, on a ring, and by rendezvous, and how much of that was needless?',
  method:
    '200,000 keys are placed before and after each change. Needless is what moves between two servers that are there before and after: only what a new server takes, or a lost one leaves, has to move. The ring has 256 places for each server.',
  advice:
    'A cache or a store whose servers change wants a ring or rendezvous; what moves is then the share of the server that came or went. hash mod N is fine where N is fixed for ever, as with the partitions of a topic, and then it is the simplest.',
  expected: 'true',
  measure: ({ pick }) => {
    const keys = pick(200_000, 200_000);
    return changes.map(([from, to]) => ({
      from,
      to,
      modN: moved(modN, from, to, keys),
      ring: moved(ring, from, to, keys),
      rendezvous: moved(rendezvous, from, to, keys),
      fair: Math.abs(to - from) / Math.max(from, to),
    }));
  },
  verdict(measured) {
    const ten = measured.find(({ from, to }) => from === 10 && to === 11)!;
    const four = measured.find(({ from }) => from === 4)!;
    const eight = measured.find(({ from }) => from === 8)!;
    const isSo = measured.every((one) => one.modN.moved >= 0.49 && one.ring.needless === 0);
    return {
      verdict: isSo ? 'true' : 'false',
      why: `From 10 to 11 servers hash mod N moves ${percent(ten.modN.moved)} of the keys, from 4 to 5 ${percent(four.modN.moved)}, from 8 to 16 ${percent(eight.modN.moved)}; the ring moves ${percent(ten.ring.moved)}, ${percent(four.ring.moved)} and ${percent(eight.ring.moved)}, none of it needlessly.`,
    };
  },
  figures: (measured) => [
    bars({
      title: 'Keys that change their server',
      x: { label: 'share of keys', unit: '%', max: 100 },
      groups: measured.map(({ from, to }) => `${from} → ${to} servers`),
      series: [
        { name: 'hash mod N', values: measured.map((one) => 100 * one.modN.moved) },
        { name: 'ring', values: measured.map((one) => 100 * one.ring.moved) },
        { name: 'rendezvous', values: measured.map((one) => 100 * one.rendezvous.moved) },
      ],
    }),
    table({
      title: 'In numbers',
      head: ['change', 'has to move', 'hash mod N', 'of it needless', 'ring', 'rendezvous'],
      rows: measured.map((one) => [
        `${one.from} → ${one.to}`,
        percent(one.fair),
        percent(one.modN.moved),
        percent(one.modN.needless),
        percent(one.ring.moved),
        percent(one.rendezvous.moved),
      ]),
    }),
  ],
});
