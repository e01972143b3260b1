/**
 * A process that is two nodes, `a/0` and `b/0`. Tells `b/0` what its argument says ('pass on': by way of `a/0`), and prints
 * what it hears of that until `b/0` is up again; 'nobody' is an error of no node at all.
 */
import { rmSync } from 'node:fs';
import type { RunEvent } from '../../host/events.ts';
import type { Message } from '../../host/host.ts';
import { startLive } from '../supervisor.ts';
import { makeBoot, nodePlan, planOf } from './programs.ts';

const [, , type = '', dataDir = ''] = process.argv;

async function end(): Promise<void> {
  await system.stop({ drainUs: 0 });
  rmSync(dataDir, { recursive: true, force: true });
}

function hear(event: RunEvent): void {
  if (event.type === 'log' || event.type === 'crash') console.log(JSON.stringify(event));
  if (event.type === 'boot' && event.life === 2) void end();
}

const system = startLive({
  plan: planOf(nodePlan('a/0', 'echo'), nodePlan('b/0', 'echo')),
  childEntry: () => new URL(import.meta.url),
  childData: () => null,
  dataDir,
  seed: 1,
  edgePort: 0,
  single: makeBoot,
  onEvent: hear,
});
await system.ready;
if (type === 'nobody') void Promise.reject(new Error("nobody's"));
else system.tell({ node: type === 'pass on' ? 'a/0' : 'b/0' }, { type, node: 'b/0' } as Message);
