/** What ending TLS costs the node where it ends, and users in time. */
import { describe, expect, test } from 'vitest';
import { service } from '../../blocks/compute/service/index.ts';
import { balancer } from '../../blocks/edge/balancer/index.ts';
import { gateway } from '../../blocks/edge/gateway/index.ts';
import { users } from '../../blocks/workload/users/index.ts';
import { system } from '../../design/system.ts';
import type { Declaration } from '../../host/declaration.ts';
import { simulateHere } from '../../run/node/here.ts';
import type { Report } from '../../run/report.ts';

const api = service('api', { instances: 2, cost: '1ms' });
const costs = { handshakeCost: '1ms', resumeCost: '200us' } as const;

/** Twenty users, each of whom comes about every second, or everybody once. */
async function run(entry: Declaration, population: number): Promise<Report> {
  const workload = users({ rate: '20/s', population });
  const design = system('shop', { entry, workload });
  const { report } = await simulateHere(() => ({
    design,
    seed: 1,
    forUs: 10_000_000,
    faults: [],
    check: true,
  }));
  expect(report.failed).toBe(0);
  return report;
}

const busyS = (report: Report, block: string) =>
  report.blocks[block]!.nodes.reduce((sum, { utilisation }) => sum + utilisation * 10, 0);

describe('TLS', () => {
  test('costs a handshake for every new connection, and a round trip', async () => {
    const plain = await run(gateway('edge', { routes: { '/': api } }), 20);
    const secure = await run(gateway('edge', { tls: costs, routes: { '/': api } }), 20);
    const { handshakes, resumed } = secure.blocks.edge!.meters;
    expect(handshakes).toBeGreaterThanOrEqual(19);
    expect(handshakes).toBeLessThanOrEqual(25);
    const full = Number(handshakes) - Number(resumed);
    const expected = full * 0.001 + Number(resumed) * 0.0002;
    expect(busyS(secure, 'edge') - busyS(plain, 'edge')).toBeCloseTo(expected, 3);
    expect(secure.latencyMs.mean).toBeGreaterThan(plain.latencyMs.mean + 0.1);
    expect(secure.latencyMs.p50).toBeLessThan(plain.latencyMs.p50 + 0.5);
  });

  test('is resumed where the same process is met again', async () => {
    const edge = gateway('edge', { nodes: 2, tls: costs, routes: { '/': api } });
    const by = (balance: 'round-robin' | 'source-hash') => balancer('lb', { to: edge, balance });
    // Both of a user's connections begin while the first is under way, or a minute apart: few here.
    const report = await run(by('source-hash'), 5);
    const { handshakes } = report.blocks.edge!.meters;
    expect(handshakes).toBeGreaterThanOrEqual(5);
    expect(report.blocks.lb!.meters).not.toHaveProperty('handshakes');
    const turns = await run(by('round-robin'), 5);
    expect(Number(turns.blocks.edge!.meters.resumed)).toBeLessThanOrEqual(
      Number(turns.blocks.edge!.meters.handshakes),
    );
  });

  test('ends at a service, when it has it, behind a balancer', async () => {
    const own = service('own', { instances: 2, cost: '1ms', tls: costs });
    const report = await run(balancer('lb', { to: own }), 20);
    expect(report.blocks.own!.meters.handshakes).toBeGreaterThanOrEqual(19);
  });
});
