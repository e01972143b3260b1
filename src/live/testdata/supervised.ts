/** A supervisor in a process of its own, for tests that kill it. Prints the ids of its children. */
import { startLive } from '../supervisor.ts';
import { nodePlan, planOf } from './programs.ts';

const [entry, dataDir, pause] = process.argv.slice(2);
const system = startLive({
  plan: planOf(nodePlan('a/0', 'echo'), nodePlan('b/0', 'echo')),
  childEntry: () => new URL(entry!),
  childData: () => null,
  dataDir: dataDir!,
  seed: 1,
  edgePort: 0,
});
await system.ready;
if (pause) system.inject({ do: 'pause', atUs: 0, target: { node: 'b/0' } });
console.log(JSON.stringify(system.status().map((node) => node.pid)));
