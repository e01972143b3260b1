import { describe } from 'vitest';
import { type Args, type Cast, stories } from '../../../../test/story.ts';
import { expand, reachable } from '../../../design/plan.ts';
import type { ProgramCode } from '../../../host/declaration.ts';
import type { Message, Program } from '../../../host/host.ts';
import type { WebMessage } from '../../../host/web.ts';
import type { Purge } from '../../../parts/http-cache.ts';
import type { PurgeMessage } from '../../../path/purges.ts';
import { service } from '../../compute/service/index.ts';
import { cdn, purges } from './index.ts';

/** A shield at home, an edge far away, and an origin whose pages hold for a minute by rule. */
const pages = purges('pages', { lease: '1s' });
const origin = service('origin', { instances: 1, cost: { wait: '5ms' } });
const site = cdn('site', {
  origin,
  purges: pages,
  shield: 'home',
  rules: { '/': { ttl: '1min' } },
  policy: { timeout: '500ms' },
});
const declarations = reachable([site]);
const plan = expand('story', declarations, [
  { name: 'a', region: 'home' },
  { name: 'b', region: 'away' },
]);

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

describe('stories of a CDN', () => {
  let id = 1;
  const describeAll = (message: Message): string =>
    site.block.describe(message as WebMessage | PurgeMessage);
  stories(new URL('./testdata/', import.meta.url), {
    programs: { web: member, purges: member },
    describe: describeAll,
    commands: {
      get: (story, args) =>
        story.send(args.word(0), {
          type: 'request',
          id: id++,
          method: 'GET',
          url: `http://site${args.word(1)}`,
          headers: [],
          body: null,
          ip: '20.0.0.1',
        } as WebMessage),
      purge: (story, args) => {
        const purge: Purge = { by: 'prefix', prefix: `http://site${args.word(0)}` };
        story.send('pages/0', { type: 'purge', id: id++, purge } as PurgeMessage);
      },
    },
  });
});
