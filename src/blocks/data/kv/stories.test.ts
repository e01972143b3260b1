import { describe } from 'vitest';
import { type Args, stories } from '../../../../test/story.ts';
import type { Host } from '../../../host/host.ts';
import { encode } from '../../../parts/codec.ts';
import { spread } from '../../../parts/placement.ts';
import { type ClientConfig, client } from './client.ts';
import { complete, knobs } from './config.ts';
import { describe as describeMessage, type KvMessage } from './messages.ts';
import { replica } from './node.ts';
import type { KvApi, Verb } from './operation.ts';

/** As `expand` would make it, for a store called `links` over zones a, b and c. */
function configOf(args: Args): ClientConfig {
  const config = complete(args.config(knobs));
  const zones = ['a', 'b', 'c'].map((name) => ({ name, region: 'here' }));
  return { ...config, name: 'links', members: spread('links', config.nodes, zones) };
}

describe('stories of the store', () => {
  const apis = new Map<string, KvApi>();
  const operate =
    (f: Verb) =>
    (story: { print(text: string): void }, args: Args): void => {
      const node = args.word(0);
      const key = args.word(1);
      const value = f === 'put' ? encode(args.word(2)) : null;
      const said = f === 'put' ? `put ${key} ${args.word(2)}` : `${f} ${key}`;
      apis.get(node)!.start(f, key, value, {}, (outcome) => {
        const answer = outcome.ok
          ? f === 'get'
            ? (outcome.value ?? 'nothing')
            : 'done'
          : `${outcome.certain ? 'failed' : 'in doubt'}: ${outcome.why}`;
        story.print(`${node} ${said}: ${answer}`);
      });
    };
  stories(new URL('./testdata/', import.meta.url), {
    programs: {
      kv: (args) => {
        const config = configOf(args);
        return (host) => replica(host, config);
      },
      links: (args) => {
        const config = configOf(args);
        return (host: Host) => {
          const half = client(host, config);
          apis.set(host.self, half.api as KvApi);
          return half;
        };
      },
    },
    describe: (message) => describeMessage(message as KvMessage),
    commands: {
      get: (story, args) => {
        void story.world;
        operate('get')(story, args);
      },
      put: (story, args) => {
        void story.world;
        operate('put')(story, args);
      },
      delete: (story, args) => {
        void story.world;
        operate('delete')(story, args);
      },
    },
  });
});
