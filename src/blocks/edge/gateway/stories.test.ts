import { describe } from 'vitest';
import { type Args, type Cast, stories } from '../../../../test/story.ts';
import { expand, reachable } from '../../../design/plan.ts';
import type { ProgramCode } from '../../../host/declaration.ts';
import type { Program } from '../../../host/host.ts';
import { describeWeb, type WebMessage } from '../../../host/web.ts';
import { service } from '../../compute/service/index.ts';
import { gateway } from './index.ts';

/** Two instances that take 20 ms for a request, behind a gateway that tries twice. */
const api = service('api', { instances: 2, cost: '20ms' });
const edge = gateway('edge', {
  routes: { '/': api },
  policy: { timeout: '500ms', balance: 'round-robin', retry: { attempts: 2, backoff: '0ms' } },
});
/** Two limits at once, and one that delays. */
const door = gateway('door', {
  routes: [
    { path: '/', to: api },
    {
      path: '/slow',
      to: api,
      limits: { drip: { algorithm: 'leaky-queue', rate: '10/s', queueMax: 1 } },
    },
  ],
  limits: {
    second: { algorithm: 'sliding-log', rate: '2/s' },
    minute: { algorithm: 'sliding-log', rate: '3/min' },
  },
});
const declarations = reachable([edge, door]);
const plan = expand('story', declarations, [{ name: 'a', region: 'here' }]);

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

describe('stories of the gateway', () => {
  let id = 1;
  stories(new URL('./testdata/', import.meta.url), {
    programs: { web: member },
    describe: (message) => describeWeb(message as WebMessage),
    commands: {
      ask: (story, args) => {
        const [door, method, path] = [args.word(0), args.word(1), args.word(2)];
        story.send(door, {
          type: 'request',
          id: id++,
          method,
          url: `http://edge${path}`,
          headers: [],
          body: null,
          ip: '20.0.0.1',
        } as WebMessage);
      },
    },
  });
});
