/**
 * Mistakes in what a user hands over: each ends with exit code 2 and a message that names the place
 * and the rule, without a stack, and before anything was started.
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { loadpath, nothingLeft, removeFolders, sweepAll, tempFolder } from './live/process.ts';

let folder = '';

const sound = `
  import { service, system, users } from 'loadpath'
  const api = service('api', { fetch: () => new Response('hi') })
  export default system('sound', { entry: api, workload: users({ rate: '20/s' }) })
`;

beforeAll(() => {
  folder = tempFolder();
  mkdirSync(join(folder, 'empty'));
  put('sound.ts', sound);
});
afterEach(sweepAll);
afterAll(removeFolders);

function put(name: string, text: string): void {
  writeFileSync(join(folder, name), text);
}

/** What is said on standard error, after everything that is the same for every mistake was checked. */
async function mistake(...args: readonly string[]): Promise<string> {
  const running = loadpath(args, folder);
  const { code, out, err } = await running.ended;
  expect({ code, out, said: err }).toEqual({ code: 2, out: '', said: expect.stringMatching(/\S/) });
  expect(err).not.toMatch(/^\s+at /m);
  expect(err).not.toContain('This is a bug in Loadpath');
  await nothingLeft(running);
  expect(existsSync(join(folder, '.loadpath')), 'nothing was started').toBe(false);
  return err;
}

describe('in a design', () => {
  const designs: Readonly<Record<string, readonly [text: string, said: readonly string[]]>> = {
    'a syntax error, with its line': [
      `import { system } from 'loadpath'\nconst b = = 2\nexport default b`,
      ['design.ts:2:11: Unexpected "="', 'const b = = 2'],
    ],
    'what types would have refused': [
      `import { gateway, kv, service, system } from 'loadpath'
       const links = kv('links')
       const api = service('api', { env: { links }, fetch: 5, instances: 'three' })
       export default system('x', { entry: gateway('edge', { routes: { '/': api, shop: links } }) })`,
      [
        'x has 3 mistakes:',
        "edge.routes['shop']: must hold a path",
        "api.instances: must be a whole number from 1 to 1000, got 'three'",
        'api.fetch: a handler must be a function, got 5',
      ],
    ],
    'what it throws while loading': [
      `export const x = 1\nthrow new Error('no licence')`,
      ['design.ts:2:', 'fails while loading: Error: no licence'],
    ],
    'no default export': ['export const x = 1', ['export default system(']],
    'a default export of something else': ['export default 7', ['must be a system(', 'got number']],
    'an option with a typo, units that are none, a name given twice, all at once': [
      `import { gateway, kv, service, system, users } from 'loadpath'
       const links = kv('links', { replicas: 0, timeout: '5 parsecs', concistency: 'atomic' })
       const other = kv('links', { replicas: 5, nodes: 2 })
       const api = service('api', { env: { links, other }, fetch: () => new Response(), cost: '5 furlongs' })
       export default system('x', {
         entry: gateway('edge', { routes: { '/': api } }),
         workload: users({ rate: 'lots' }),
         objectives: { p99: 50, p98: '1s' },
         fautls: [],
       })`,
      [
        'x has 10 mistakes:',
        'x.fautls: no such option; did you mean faults?',
        "api.cost: must be a duration like '5ms'",
        'links.concistency: no such option; did you mean consistency?',
        'links.replicas: must be a whole number from 1 to 9, got 0',
        "links.timeout: must be a duration like '250ms', from 1ms to 1min, got '5 parsecs'",
        'links.replicas: must be at most nodes, got replicas 5 and nodes 2',
        'links: two blocks have this name',
        "users.rate: must be a rate like '500/s', got 'lots'",
        "x.objectives.p99: must be a duration like '50ms', got 50",
        'x.objectives.p98: no such objective',
      ],
    ],
    'faults that cannot be understood': [
      `import { service, system } from 'loadpath'
       const api = service('api', { fetch: () => new Response() })
       export default system('x', { entry: api, faults: ['kill api/9 at 5s', 'explode api/0 at 1s'] })`,
      ["got 'api/9'; did you mean 'api/0'?", 'expected a fault: kill, power off, restart'],
    ],
  };

  for (const [what, [text, said]] of Object.entries(designs)) {
    test(what, async () => {
      put('design.ts', text);
      const [live, simulated] = await Promise.all([
        mistake('run', 'design.ts', '--port', '0', '--for', '1s'),
        mistake('sim', 'design.ts', '--for', '1s'),
      ]);
      for (const part of said) expect(live).toContain(part);
      expect(simulated, 'both worlds say the same').toBe(live);
    });
  }

  test('files that import each other', async () => {
    put(
      'a.ts',
      `import { b } from './b.ts'
       import { service, system } from 'loadpath'
       export const a = service('a', { env: { b }, fetch: () => new Response('a') })
       export default system('x', { entry: a })`,
    );
    put(
      'b.ts',
      `import { a } from './a.ts'
       import { service } from 'loadpath'
       export const b = service('b', { env: { a }, fetch: () => new Response('b') })`,
    );
    expect(await mistake('sim', 'a.ts')).toContain(
      'b.env.a: is undefined: do two files import each other?',
    );
  });

  test('a JSON design whose calls go in a circle', async () => {
    const calling = (name: string, other: string) => ({
      kind: 'service',
      name,
      cost: '1ms',
      calls: [other],
    });
    const blocks = [calling('a', 'b'), calling('b', 'a')];
    put('circle.json', JSON.stringify({ name: 'circle', entry: 'a', blocks }));
    expect(await mistake('sim', 'circle.json')).toContain('calls go in a circle: a -> b -> a');
    put('bare.json', '{}');
    const bare = await mistake('sim', 'bare.json');
    expect(bare).toContain('design.blocks: must be a list, got undefined');
    expect(bare).toContain('design.entry: must name a block, got undefined');
    put('list.json', '[]');
    expect(await mistake('sim', 'list.json')).toContain('list.json: must be an object');
    put('cut.json', '{ "name": "x", ');
    expect(await mistake('lint', 'cut.json')).toContain('cut.json:1');
  });
});

describe('in files', () => {
  test('a design that is not there', async () => {
    expect(await mistake('run', 'missing.ts')).toContain('No design at missing.ts.');
    expect(await mistake('run', 'empty')).toContain('a folder without a design');
  });

  test('an access log that is none, or is not there', async () => {
    put('rubbish.log', 'rubbish\n');
    for (const command of ['sim', 'run']) {
      expect(await mistake(command, 'sound.ts', '--replay', 'rubbish.log')).toContain(
        'rubbish.log holds no line in Common or Combined Log Format; line 1',
      );
    }
    expect(await mistake('sim', 'sound.ts', '--replay', 'gone.log')).toContain('gone.log');
  });

  test('a data directory, a trace or a finding that cannot be', async () => {
    const data = await mistake('run', 'sound.ts', '--data', 'sound.ts', '--port', '0');
    expect(data).toContain('sound.ts');
    const trace = await mistake('sim', 'sound.ts', '--trace', 'no/such/folder/trace');
    expect(trace).toContain('the trace no/such/folder/trace cannot be written');
    put('rubbish.json', 'rubbish');
    expect(await mistake('replay', 'rubbish.json')).toContain(
      'rubbish.json cannot be read as JSON',
    );
  });
});

describe('on the command line', () => {
  test('an address without its scheme', async () => {
    expect(await mistake('load', 'localhost:8471')).toContain('is it http://localhost:8471?');
  });

  test('an option that another one leaves without effect', async () => {
    for (const command of ['sim', 'run', 'load']) {
      expect(await mistake(command, 'sound.ts', '--replay', 'access.log', '--rps', '5')).toContain(
        '--rps: the pace of --replay is that of the log',
      );
    }
    const lines = await mistake('load', 'sound.ts', '--header', 'a: b', '--connections', '5');
    expect(lines).toContain('--header: a design says that itself');
    expect(lines).toContain('--connections: a design says that itself');
  });

  test('a fault that cannot be understood names the sentence once, and what was expected', async () => {
    const faults = ['--fault', 'kil api/0 at 1s', '--fault', 'kill api/0 when ready'];
    const said = await mistake('sim', 'sound.ts', ...faults);
    expect(said).toContain('has 2 mistakes:');
    expect(said).toContain("  'kil api/0 at 1s': expected a fault");
    expect(said).toContain("got 'kil'; did you mean 'kill'?");
    expect(said).toContain("expected 'at' and a time since the load began");
  });

  test('options and commands that do not exist, with the nearest that do', async () => {
    expect(await mistake('run', 'sound.ts', '--prot', '80')).toContain('Did you mean --port?');
    expect(await mistake('rum')).toContain('Did you mean run?');
    expect(await mistake('frobnicate')).toContain("unknown command 'frobnicate'");
    expect(await mistake('sim')).toContain("missing required argument 'design'");
  });

  test('values that cannot be, all of them', async () => {
    const said = await mistake('run', 'sound.ts', '--port', '70000', '--for', 'x', '--rps', '0');
    expect(said).toContain('the command line has 3 mistakes:');
    expect(said).toContain("--port: must be a whole number, from 0 to 65535, got '70000'");
  });
});
