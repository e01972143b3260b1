/** How the programs of a node find one another. */
import { expect, test } from 'vitest';
import type { Block, Declaration, ProgramCode } from '../host/declaration.ts';
import type { Host } from '../host/host.ts';
import type { NodePlan } from '../host/plan.ts';
import { makeBoot } from './boot.ts';

const node: NodePlan = {
  id: 'api/0',
  block: 'api',
  kind: 'api',
  role: 'member',
  zone: 'a',
  cores: 1,
  userCode: true,
  programs: [
    { port: 'links', block: 'links', role: 'client', config: { size: 3 } },
    { port: 'web', block: 'api', role: 'member', config: null },
  ],
};

function declared(name: string, block: object): Declaration {
  return { name, block: block as Block, config: null, problems: [], binds: {} };
}

const idle = { message() {} };
const host = (port: string) => ({ self: 'api/0', port }) as unknown as Host;

test('programs boot in the order of the plan; later ones find the halves opened before them', () => {
  const seen: unknown[] = [];
  const links = declared('links', {
    kind: 'links',
    programs: {},
    client: (_host: Host, config: unknown, code: ProgramCode) => {
      seen.push(['links', config, [...code.open.keys()]]);
      return { ...idle, api: 'the api of links' };
    },
  });
  const api = declared('api', {
    kind: 'api',
    programs: {
      member: (_host: Host, config: unknown, code: ProgramCode) => {
        seen.push(['api', config, code.open.get('links')]);
        code.run('a request', () => {});
        return idle;
      },
    },
  });
  const boot = makeBoot({
    declarations: () => new Map([links, api].map((one) => [one.name, one])),
    runUserCode: (where, life, what) => seen.push([where.id, life, what]),
  });
  const { ports } = boot(node, 4, host);
  expect([...ports.keys()]).toEqual(['links', 'web']);
  expect(seen).toEqual([
    ['links', { size: 3 }, []],
    ['api', null, { api: 'the api of links', declaration: links }],
    ['api/0', 4, 'a request'],
  ]);
});

test('a plan that names what the design does not have is our own mistake', () => {
  const boot = makeBoot({ declarations: () => new Map(), runUserCode: () => {} });
  expect(() => boot(node, 1, host)).toThrow('the plan and the design name the same blocks (links)');
});
