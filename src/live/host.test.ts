import { rmSync } from 'node:fs';
import { afterAll, beforeAll } from 'vitest';
import type { RunEvent } from '../host/events.ts';
import { type Harness, hostContract } from '../host/host.contract.ts';
import { contractBoot } from '../host/programs.contract.ts';
import type { Durability } from './live-node.ts';
import { startLive } from './supervisor.ts';
import { built, removeBuilt, tempFolder } from './testdata/harness.ts';
import { planOf } from './testdata/programs.ts';

let child: URL;
beforeAll(async () => {
  child = await built('contract-child');
});
afterAll(() => removeBuilt(child));

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

function harness(single: boolean, durability: Durability): Harness {
  return async (nodes) => {
    const dataDir = tempFolder();
    const events: RunEvent[] = [];
    const system = startLive({
      plan: planOf(...nodes),
      childEntry: () => child,
      childData: () => null,
      dataDir,
      seed: 1,
      single: single ? () => contractBoot : undefined,
      durability,
      onEvent: (event) => events.push(event),
    });
    await system.ready;
    const until = async (enough: () => boolean) => {
      for (let waited = 0; waited < 10_000 && !enough(); waited += 20) await sleep(20);
    };
    const stateOf = (id: string) => system.status().find((node) => node.id === id)?.state;
    const bootsOf = (id: string) => system.status().find((node) => node.id === id)?.boots ?? 0;
    return {
      history: () => system.histories(),
      until,
      pass: (us) => sleep(us / 1_000),
      kill: async (node) => {
        system.inject({ do: 'kill', atUs: 0, target: { node } });
        await until(() => stateOf(node) === 'down');
      },
      boot: () => system.heal(),
      restart: async (node) => {
        const boots = bootsOf(node);
        system.inject({ do: 'restart', atUs: 0, target: { node } });
        await until(() => bootsOf(node) > boots && stateOf(node) === 'up');
      },
      stop: async () => {
        await system.stop({ drainUs: 1_000_000 });
        rmSync(dataDir, { recursive: true, force: true });
      },
    };
  };
}

hostContract('live (separate processes)', harness(false, 'files'));
hostContract('live (one process, only what is synced is kept)', harness(true, 'sync-only'));
