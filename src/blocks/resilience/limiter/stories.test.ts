import { describe } from 'vitest';
import { stories } from '../../../../test/story.ts';
import { client, type LimiterApi } from './client.ts';
import { knobs, type Member } from './config.ts';
import { locked } from './locked.ts';
import { describe as describeMessage, type LimiterMessage } from './messages.ts';
import { counter } from './node.ts';
import { replicated } from './replicated.ts';

const members: readonly Member[] = ['asia', 'europe'].map((region, index) => ({
  id: `limits/${index}`,
  region,
}));
const regionOf = (node: string) => node.split('/')[0]!;

describe('stories of the limiter', () => {
  const callers = new Map<string, LimiterApi>();
  const programs = { counter, locked, replicated };
  stories(new URL('./testdata/', import.meta.url), {
    programs: {
      limiter: (args) => {
        const config = args.config(knobs);
        const role =
          config.mode === 'lock'
            ? 'locked'
            : config.mode === 'replicated'
              ? 'replicated'
              : 'counter';
        return (host) =>
          programs[role](host, { ...config, limits: [config.limit], name: 'limits', members }, {});
      },
      caller: (args) => {
        const config = args.config(knobs);
        return (host) => {
          const region = regionOf(host.self);
          const own = { ...config, limits: [config.limit], name: 'limits', members, region };
          const half = client(host, own);
          callers.set(host.self, half.api);
          return half;
        };
      },
    },
    describe: (message) => describeMessage(message as LimiterMessage),
    commands: {
      take(story, args) {
        // Boots who was declared.
        void story.world;
        const [caller, key] = [args.word(0), args.word(1)];
        for (let i = 0; i < Number(args.option('times') ?? 1); i++) {
          callers
            .get(caller)!
            .take(key, 1, undefined, ({ allowed, by }) =>
              story.print(`${caller} ${key}: ${allowed ? 'allowed' : 'refused'} by ${by}`),
            );
        }
      },
    },
  });
});
