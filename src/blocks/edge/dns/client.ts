/** The caller's half: what an operating system does for its programs. It remembers names too. */
import type { Client } from '../../../host/declaration.ts';
import type { Host } from '../../../host/host.ts';
import type { Naming } from '../../../host/naming.ts';
import type { StubConfig } from './config.ts';
import type { DnsMessage } from './messages.ts';
import type { Found } from './records.ts';
import { Remembering } from './remembering.ts';

export interface DnsApi extends Naming {
  find(name: string, done: (found: Found) => void): void;
}

export function client(host: Host, config: StubConfig): Client & { readonly api: DnsApi } {
  // A resolver whose first server is lost asks a second one, and is not to be left for that.
  const patience = { ...config, timeoutUs: 2 * config.timeoutUs };
  const names = new Remembering(host, patience, config.resolvers, null);
  const api: DnsApi = {
    find: (name, done) => names.find(name, done),
    resolve: (name, done) =>
      names.find(name, ({ code, nodes }) => {
        if (code === 'ok' && nodes.length > 0) done({ nodes });
        else done({ nodes: [], why: code === 'failed' ? 'no-answer' : 'no-name' });
      }),
  };
  return {
    api,
    message(_from, message) {
      const answer = message as DnsMessage;
      if (answer.type === 'answer') names.answered(answer);
    },
    refused(_to, message) {
      const query = message as DnsMessage;
      if (query.type === 'query') names.refused(query.id);
    },
    disconnected: (node) => names.disconnected(node),
  };
}
