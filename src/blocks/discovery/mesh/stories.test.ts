import { describe } from 'vitest';
import { type Args, type Cast, stories } from '../../../../test/story.ts';
import { expand, reachable } from '../../../design/plan.ts';
import type { ProgramCode } from '../../../host/declaration.ts';
import type { Program } from '../../../host/host.ts';
import { describeWeb, type WebMessage } from '../../../host/web.ts';
import { service } from '../../compute/service/index.ts';
import { mesh } from './index.ts';
import { describe as describeMesh, isMesh } from './messages.ts';

/** A service of two releases behind a mesh, and one that calls it. */
const net = mesh('net', { sync: '100ms', stageFor: '0ms' });
const m2 = service('m2', { mesh: net, instances: 1, cost: '5ms' });
const m1 = service('m1', { mesh: net, instances: 1, env: { m2 }, fetch: () => new Response('') });
const safe = mesh('safe', { sync: '100ms', identity: 'required', identityFor: '1s' });
const m3 = service('m3', { mesh: safe, instances: 1, cost: '5ms' });
const declarations = reachable([m1, m2, m3]);
const plan = expand('story', declarations, [{ name: 'a', region: 'here' }]);

/** The program of that role on a node. */
function member(args: Args, role: string): Cast {
  const node = plan.nodes.find(({ id }) => id === args.word(0));
  const program = node?.programs.find((one) => one.role === role);
  const declaration = declarations.find(({ name }) => name === program?.block);
  if (!declaration || !program) throw new Error(`the story has no ${role} on ${args.word(0)}`);
  const boot = declaration.block.programs[role] as Program<never, unknown, ProgramCode>;
  const code: ProgramCode = { declaration, open: new Map(), run: (_what, start) => void start() };
  return (host) => boot(host, program.config, code);
}

describe('stories of the mesh', () => {
  let id = 1;
  let askedId = 1;
  stories(new URL('./testdata/', import.meta.url), {
    programs: {
      mesh: (args) => member(args, 'control'),
      'net.sidecar': (args) => member(args, 'sidecar'),
      'safe.sidecar': (args) => member(args, 'sidecar'),
      web: (args) => member(args, 'instance'),
    },
    describe: (message) =>
      isMesh(message) ? describeMesh(message) : describeWeb(message as WebMessage),
    commands: {
      ask: (story, args) => {
        const shown = args.option('showing');
        const name =
          shown === undefined
            ? []
            : ['x-mesh-identity', `${shown} m3/0 9999999999999999 ${'0'.repeat(128)}`];
        const request = { method: 'GET', url: 'http://m3/', headers: name, body: null, ip: '' };
        story.send(args.word(0), { type: 'request', id: askedId++, ...request } as never);
      },
      apply: (story, args) => {
        const change = { m2: { traffic: { current: Number(args.word(1)) } } };
        story.send(args.word(0), { type: 'apply', id: id++, change } as never);
      },
    },
  });
});
