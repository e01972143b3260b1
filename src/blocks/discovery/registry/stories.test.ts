import { describe } from 'vitest';
import { type Args, stories } from '../../../../test/story.ts';
import type { Handlers, Host } from '../../../host/host.ts';
import { client, type RegistryApi } from './client.ts';
import { knobs, type RegistryClientConfig } from './config.ts';
import { describe as describeMessage, type RegistryMessage } from './messages.ts';
import { registry } from './node.ts';

describe('stories of the registry', () => {
  const halves = new Map<string, RegistryApi>();
  const half =
    (args: Args, use: 'services' | 'register') =>
    (host: Host): Handlers<never> => {
      const service = args.word(2);
      const config: RegistryClientConfig = {
        ...args.config(knobs),
        registries: ['names'],
        services: use === 'services' ? [service] : [],
        register: use === 'register' ? { service, release: 'current' } : null,
      };
      const made = client(host, config);
      halves.set(host.self, made.api);
      made.api.follow(service, (releases) => {
        const nodes = Object.values(releases).flat();
        const names = nodes.map((one) => (typeof one === 'string' ? one : one.node));
        host.meter.note(`knows ${names.join(', ') || 'nobody'}`);
      });
      return made as Handlers<never>;
    };
  stories(new URL('./testdata/', import.meta.url), {
    programs: {
      registry: (args) => {
        const config = args.config(knobs);
        return (host) => registry(host, config) as Handlers<never>;
      },
      follower: (args) => half(args, 'services'),
      member: (args) => half(args, 'register'),
    },
    describe: (message) => describeMessage(message as RegistryMessage),
    commands: {
      leave(story, args) {
        const node = args.word(0);
        void story.world;
        halves.get(node)!.leave(() => story.print(`${node} has left`));
      },
    },
  });
});
