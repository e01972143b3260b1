/** Where Envoy listens, and how new connections wait for its workers. */
import type { Remarks } from './remarks.ts';
import type { ProxyTask } from './task.ts';
import type { Fields } from './yaml.ts';

export function listenerOf(
  { gateway, listen, workers }: ProxyTask,
  manager: Fields,
  remarks: Remarks,
): Fields {
  if (workers) {
    remarks.approximated(
      `${gateway}.nodes`,
      'a worker for each core',
      `How many there are is said where it is started: --concurrency ${workers.count}.`,
    );
  }
  return {
    name: gateway,
    address: {
      socket_address: {
        address: listen.host === '*' ? '0.0.0.0' : listen.host,
        port_value: listen.port,
      },
    },
    ...(workers
      ? { enable_reuse_port: workers.how === 'sharded', tcp_backlog_size: workers.backlog }
      : {}),
    filter_chains: [{ filters: [manager] }],
  };
}
