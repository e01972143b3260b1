import { describe } from 'vitest';
import { type Args, type Story, stories } from '../../../../test/story.ts';
import type { Host } from '../../../host/host.ts';
import { parseDuration } from '../../../kit/units.ts';
import { spread } from '../../../parts/placement.ts';
import { type CacheApi, client } from './client.ts';
import { knobs } from './config.ts';
import { type CacheMessage, describe as describeMessage } from './messages.ts';
import { node } from './node.ts';

describe('stories of the cache', () => {
  const callers = new Map<string, { readonly host: Host; readonly api: CacheApi }>();
  /** `<command> <caller> <key>`, and what was said when it is over. */
  const command =
    (
      act: (
        caller: { host: Host; api: CacheApi },
        key: string,
        say: (text: string) => void,
        args: Args,
      ) => void,
    ) =>
    (story: Story, args: Args): void => {
      void story.world;
      const [name, key] = [args.word(0), args.word(1)];
      act(callers.get(name)!, key, (text) => story.print(`${name} ${key}: ${text}`), args);
    };
  stories(new URL('./testdata/', import.meta.url), {
    programs: {
      cache: (args) => {
        const config = args.config(knobs);
        return (host) => node(host, config, undefined);
      },
      hot: (args) => {
        const config = args.config(knobs);
        const members = spread('hot', config.nodes, [{ name: 'a', region: 'here' }]);
        return (host) => {
          const half = client(host, { ...config, name: 'hot', members });
          callers.set(host.self, { host, api: half.api });
          return half;
        };
      },
    },
    describe: (message) => describeMessage(message as CacheMessage),
    commands: {
      through: command(({ host, api }, key, say, args) => {
        const takesUs = parseDuration(args.option('takes') ?? '0us')!;
        const value = args.option('finds') ?? null;
        api.through(
          key,
          undefined,
          (done) => {
            say('loads');
            host.after(takesUs, () => done({ ok: true, value }));
          },
          (loaded) => say(`has ${loaded.ok ? String(loaded.value) : 'failed'}`),
        );
      }),
      delete: command(({ api }, key, say) => {
        api.delete(key, (deleted) => say(deleted ? 'deleted' : 'deletion not confirmed'));
      }),
    },
  });
});
