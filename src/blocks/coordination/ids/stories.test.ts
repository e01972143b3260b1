import { describe } from 'vitest';
import { type Args, type Story, stories } from '../../../../test/story.ts';
import type { ProgramCode } from '../../../host/declaration.ts';
import { Unavailable } from '../../../kit/errors.ts';
import { client, type IdsApi } from './client.ts';
import { knobs } from './config.ts';
import { ids } from './index.ts';
import { describe as describeMessage, type IdsMessage } from './messages.ts';
import { allocator } from './node.ts';

const code: ProgramCode = { declaration: ids('codes'), open: new Map(), run: () => {} };

describe('stories of ids', () => {
  const callers = new Map<string, IdsApi>();
  const apiOf = (story: Story, args: Args) => {
    void story.world;
    return callers.get(args.word(0))!;
  };
  const told = (outcome: string | boolean | Unavailable) =>
    outcome instanceof Unavailable ? `failed: ${outcome.why}` : String(outcome);
  stories(new URL('./testdata/', import.meta.url), {
    programs: {
      ids: (args) => {
        const config = { ...args.config(knobs), name: 'codes', index: 0 };
        return (host) => allocator(host, config, code);
      },
      codes: (args) => {
        const config = { ...args.config(knobs), name: 'codes', allocators: ['codes/0'] };
        return (host) => {
          const half = client(host, config, code);
          callers.set(host.self, half.api);
          return half;
        };
      },
    },
    describe: (message) => describeMessage(message as IdsMessage),
    commands: {
      next(story, args) {
        const api = apiOf(story, args);
        const say = (outcome: string | Unavailable) =>
          story.print(`${args.word(0)} next: ${told(outcome)}`);
        for (let i = 0; i < Number(args.option('times') ?? 1); i++) {
          const at = api.nextAtOnce({});
          if (at === undefined) api.next({}, say);
          else say(at);
        }
      },
      claim(story, args) {
        const [caller, name] = [args.word(0), args.word(1)];
        apiOf(story, args).claim(name, args.option('owner'), {}, (outcome) =>
          story.print(`${caller} claim ${name}: ${told(outcome)}`),
        );
      },
    },
  });
});
