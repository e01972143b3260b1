import { describe } from 'vitest';
import { type Args, type Cast, stories } from '../../../../test/story.ts';
import { expand, reachable } from '../../../design/plan.ts';
import type { ProgramCode } from '../../../host/declaration.ts';
import type { Message, Program } from '../../../host/host.ts';
import type { WebMessage } from '../../../host/web.ts';
import { service } from '../../compute/service/index.ts';
import { forwardProxy } from './index.ts';

const news = service('news', { instances: 1, cost: { wait: '5ms' } });
const egress = forwardProxy('egress', {
  sites: { 'news.example': news, '*': news },
  rules: [{ do: 'block', hosts: ['*.ads.example'] }],
  limit: { rate: '1/s', burst: 2 },
  policy: { timeout: '100ms', retry: { attempts: 2 } },
});
const declarations = reachable([egress]);
const plan = expand('story', declarations, [{ name: 'a', region: 'home' }]);

function member(args: Args): Cast {
  const id = args.word(0);
  const node = plan.nodes.find((one) => one.id === id);
  const declaration = declarations.find(({ name }) => name === node?.block);
  const program = node?.programs.at(-1);
  if (!declaration || !program) throw new Error(`the story has no node ${id}`);
  const boot = declaration.block.programs[program.role] as Program<never, unknown, ProgramCode>;
  const code: ProgramCode = { declaration, open: new Map(), run: (_what, start) => void start() };
  return (host) => boot(host, program.config, code);
}

describe('stories of a forward proxy', () => {
  let id = 1;
  stories(new URL('./testdata/', import.meta.url), {
    programs: { web: member },
    describe: (message: Message): string => egress.block.describe(message as WebMessage),
    commands: {
      get: (story, args) =>
        story.send('egress/0', {
          type: 'request',
          id: id++,
          method: 'GET',
          url: args.word(0),
          headers: [],
          body: null,
          ip: args.word(1),
        } as WebMessage),
    },
  });
});
