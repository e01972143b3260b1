import { describe } from 'vitest';
import { type Args, type Cast, stories } from '../../../../test/story.ts';
import { expand, reachable } from '../../../design/plan.ts';
import type { ProgramCode } from '../../../host/declaration.ts';
import type { Message, Program } from '../../../host/host.ts';
import type { WebMessage } from '../../../host/web.ts';
import { service } from '../../compute/service/index.ts';
import { gateway } from '../gateway/index.ts';
import { dns } from './index.ts';
import { type DnsMessage, dnsPort } from './messages.ts';

/** A gateway and a resolver in each of two regions, and one server, at home. */
const api = service('api', { instances: 1, cost: { wait: '1ms' } });
const edge = gateway('edge', { nodes: 2, routes: { '/': api }, cost: '0us' });
const names = dns('names', {
  servers: 1,
  ttl: '1s',
  negativeTtl: '1s',
  cost: '0us',
  records: { 'shop.test': edge, 'www.shop.test': { alias: 'shop.test' } },
  health: { interval: '200ms', intervalUndecided: '100ms', timeout: '50ms', fall: 2, jitter: 0 },
});
const declarations = reachable([names]);
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

describe('stories of names', () => {
  let id = 1;
  const describeAll = (message: Message): string =>
    names.block.describe(message as WebMessage | DnsMessage);
  stories(new URL('./testdata/', import.meta.url), {
    programs: { web: member, [dnsPort]: member },
    describe: describeAll,
    commands: {
      ask: (story, args) =>
        story.send(args.word(0), {
          type: 'query',
          id: id++,
          name: args.word(1),
          region: null,
        } as DnsMessage),
    },
  });
});
