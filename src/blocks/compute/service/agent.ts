/** The program beside an instance that answers whoever looks after it; see `host/agent.ts`. */
import type { Agent, AgentMessage, Condition, Probe } from '../../../host/agent.ts';
import type { Client } from '../../../host/declaration.ts';
import type { Host } from '../../../host/host.ts';
import { Histogram } from '../../../kit/histogram.ts';

export type AgentConfig = { readonly cores: number; readonly release: string };

export function agent(
  host: Host,
  { cores, release }: AgentConfig,
): Client & { readonly api: Agent } {
  const latencies = new Histogram();
  let requests = 0;
  let errors = 0;
  let open = 0;

  function condition({ id, clears }: Probe): Condition {
    const p99Us = latencies.count === 0 ? 0 : Math.round(latencies.percentile(99));
    if (clears) latencies.clear();
    const { life } = host;
    const busyUs = host.cpu.busyUs();
    const counts = { requests, errors, open, busyUs, cores };
    return { type: 'condition', id, life, ...counts, release, p99Us };
  }

  return {
    api: {
      holds(openCount) {
        open = openCount;
      },
      served(latencyUs, failed) {
        requests++;
        if (failed) errors++;
        latencies.record(latencyUs);
      },
    },
    message(from, message) {
      const probe = message as AgentMessage;
      if (probe.type === 'probe') host.send(from, condition(probe));
    },
  };
}
