/**
 * A run to draw and test with: an edge, three instances and three replicas over a minute; `links/1`
 * is killed at 20 s for 10 s, at 40 s the load triples for 8 s. Made by arithmetic, no chance.
 */
import { type Frame, type FrameLayout, Histogram, type RunEvent } from 'loadpath/studio';

const nodes: FrameLayout['nodes'] = [
  { id: 'users', block: 'users', zone: 'outside' },
  { id: 'edge/0', block: 'edge', zone: 'a' },
  { id: 'api/0', block: 'api', zone: 'a' },
  { id: 'api/1', block: 'api', zone: 'b' },
  { id: 'api/2', block: 'api', zone: 'c' },
  { id: 'hot/0', block: 'hot', zone: 'a' },
  { id: 'links/0', block: 'links', zone: 'a' },
  { id: 'links/1', block: 'links', zone: 'b' },
  { id: 'links/2', block: 'links', zone: 'c' },
];

export const layout: FrameLayout = {
  nodes,
  blocks: ['users', 'edge', 'api', 'hot', 'links'],
  paths: [
    { from: 'users', to: 'edge' },
    { from: 'edge/0', to: 'api' },
    { from: 'api/0', to: 'links' },
    { from: 'api/1', to: 'links' },
    { from: 'api/2', to: 'links' },
  ],
  frameUs: 100_000,
  forUs: 60_000_000,
};

export const events: readonly RunEvent[] = [
  { type: 'phase', at: 0, phase: 'load' },
  { type: 'fault', at: 20_000_000, text: 'kill links/1', began: true },
  { type: 'crash', at: 20_000_000, node: 'links/1', why: 'killed' },
  { type: 'note', at: 21_400_000, node: 'links/0', text: 'hints kept for links/1' },
  { type: 'fault', at: 30_000_000, text: 'kill links/1', began: false },
  { type: 'boot', at: 30_000_000, node: 'links/1', life: 2 },
  { type: 'fault', at: 40_000_000, text: 'surge 3x', began: true },
  { type: 'fault', at: 48_000_000, text: 'surge 3x', began: false },
];

/** `slower` multiplies latencies, for a second run to compare with. */
export function framesOf(count = 600, slower = 1): Frame[] {
  return Array.from({ length: count }, (_, index) => frameOf(index, slower));
}

function frameOf(index: number, slower: number): Frame {
  const second = index / 10;
  const isDown = second >= 20 && second < 30;
  const surge = second >= 40 && second < 48 ? 3 : 1;
  const wave = 1 + 0.15 * Math.sin(index / 9) + 0.08 * Math.sin(index / 2.3);
  const generated = Math.round(25 * surge * wave);
  const failed = isDown ? Math.round(2 + 2 * wave) : surge > 1 ? Math.round(6 * wave) : 0;
  const rejected = surge > 1 ? Math.round(9 * wave) : 0;
  const completed = generated - failed - rejected;
  const latency = new Histogram();
  for (let i = 0; i < completed; i++) {
    const place = (i + 0.5) / completed;
    const tail = 1 / (1 - place) ** (isDown ? 0.9 : 0.45);
    latency.record(slower * (1_800 + 900 * (surge - 1) ** 2) * tail * (0.9 + 0.2 * wave));
  }
  const busy = (share: number) => Math.min(1, share * surge * wave);
  const down = (value: number) => (isDown ? 0 : value);
  const p99 = latency.percentile(99);
  return {
    index,
    fromUs: index * 100_000,
    toUs: (index + 1) * 100_000,
    users: {
      generated,
      completed,
      failed,
      rejected,
      inFlight: Math.round(2 * surge ** 2 * wave),
      latency: latency.toJSON(),
      errors: {
        ...(isDown ? { timeout: failed - 1, 'status 503': 1 } : {}),
        ...(surge > 1 ? { 'status 503': failed, 'status 429': rejected } : {}),
      },
    },
    nodes: {
      state: isDown ? 'uuuuuuudu' : 'uuuuuuuuu',
      requests: [0, generated, 8, 8, 9, 20, 6, down(6), 6].map((n) => Math.round(n * surge)),
      errors: [0, failed, isDown ? 1 : 0, isDown ? 2 : 0, 0, 0, 0, 0, 0],
      busy: [
        0,
        busy(0.1),
        busy(0.25),
        busy(0.28),
        busy(0.24),
        busy(0.08),
        busy(0.2),
        down(busy(0.2)),
        busy(0.22),
      ],
      queue: [0, 0, 1 * surge, Math.round(2 * surge * surge * wave), surge, 0, 1, 0, 1],
      p99Us: [0, p99, p99 * 0.8, p99 * 0.85, p99 * 0.7, 400, p99 * 0.4, down(p99 * 0.5), p99 * 0.4],
    },
    blocks: {
      p50Us: [0, 1_900, 1_700, 250, 900].map((us) => us * slower),
      p90Us: [0, 3_900, 3_100, 320, 1_800].map((us) => us * slower),
      p99Us: [0, p99, p99 * 0.85, 400, p99 * 0.5],
      p999Us: [0, p99 * 1.2, p99, 800, p99 * 0.7],
      meters: [
        {},
        {},
        {},
        { hits: Math.round(16 * surge), misses: 4 + (isDown ? 6 : 0), entries: 100 + index },
        { repairs: isDown ? 0 : index === 301 ? 40 : 0, hints: isDown ? 5 : 0 },
      ],
    },
    paths: {
      state: 'ooooo',
      calls: [generated, generated, 8, 8, 9],
      errors: [failed, failed, 0, isDown ? 2 : 0, 0],
      p99Us: [p99, p99 * 0.9, p99 * 0.4, p99 * 0.5, p99 * 0.4],
    },
  };
}
