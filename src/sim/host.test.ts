import { network } from '../../test/sandbox.ts';
import type { HistoryEvent } from '../host/history.ts';
import { hostContract } from '../host/host.contract.ts';
import { contractBoot } from '../host/programs.contract.ts';
import { arithmetic } from './node/arithmetic.ts';
import { World } from './world.ts';

/** Virtual time is cheap, so a wait may be long. */
const limitUs = 60_000_000;

for (const check of [false, true]) {
  hostContract(check ? 'simulated and checking' : 'simulated', async (nodes) => {
    const events: HistoryEvent[] = [];
    const world = new World({
      plan: { design: 'contract', zones: [{ name: 'a', region: 'here' }], nodes, network },
      seed: 1,
      boot: contractBoot,
      check,
      arithmetic,
      record: (event) => events.push(event),
    });
    const ends = new Map<string, () => void>();
    world.bootAll();
    return {
      history: () => events,
      async until(enough) {
        world.run(world.now + limitUs, enough);
      },
      async pass(us) {
        world.run(world.now + us);
      },
      async kill(node) {
        ends.set(node, world.inject({ do: 'kill', target: { node }, atUs: 0 }));
      },
      async boot(node) {
        ends.get(node)?.();
      },
      async restart(node) {
        world.inject({ do: 'restart', target: { node }, atUs: 0 });
      },
      async stop() {},
    };
  });
}
