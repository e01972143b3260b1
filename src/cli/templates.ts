/** What `loadpath new` writes: the smallest design that is worth breaking. A test simulates it. */

/** `loadpath` is what package.json asks for: a version, or the way to a checkout. */
export function templateFiles(name: string, loadpath: string): Readonly<Record<string, string>> {
  return {
    'package.json': packageJson(name, loadpath),
    'tsconfig.json': tsconfig(),
    'design.ts': design(name),
    'design.test.ts': test(name),
    // Else Vitest looks for one in the folders above.
    'vitest.config.js': 'export default {};\n',
    'README.md': readme(name),
    '.gitignore': 'node_modules/\n.loadpath/\n',
  };
}

function packageJson(name: string, loadpath: string): string {
  const content = {
    name,
    private: true,
    type: 'module',
    scripts: {
      sim: 'loadpath sim design.ts',
      start: 'loadpath run design.ts --load',
      test: 'vitest run',
    },
    dependencies: { loadpath },
    devDependencies: { vitest: '^4.1.0' },
  };
  return `${JSON.stringify(content, null, 2)}\n`;
}

function tsconfig(): string {
  const compilerOptions = {
    target: 'es2023',
    module: 'preserve',
    strict: true,
    noEmit: true,
    allowImportingTsExtensions: true,
    skipLibCheck: true,
  };
  return `${JSON.stringify({ compilerOptions }, null, 2)}\n`;
}

function design(name: string): string {
  return `/**
 * Notes under a name: write one, read it back.
 *
 *   users ─▶ edge ─▶ api ─▶ notes (3 copies)
 */
import { gateway, kv, service, system, users } from 'loadpath';
import { linearizable } from 'loadpath/verify';

interface Note {
  readonly text: string;
}

const notes = kv<Note>('notes', { replicas: 3, consistency: 'atomic' });

const api = service('api', {
  instances: 2,
  cost: { cpu: '0.3ms' },
  env: { notes },
  async fetch(request, env) {
    const key = new URL(request.url).pathname.slice(1);
    if (request.method === 'PUT') {
      await env.notes.put(key, { text: await request.text() });
      return new Response(null, { status: 204 });
    }
    const note = await env.notes.get(key);
    return note ? new Response(note.text) : new Response('no such note', { status: 404 });
  },
});

export default system('${name}', {
  entry: gateway('edge', {
    routes: { '/': api },
    policy: { timeout: '1s', retry: { attempts: 2, budget: 0.1 } },
  }),
  workload: users({
    rate: '200/s',
    // One write in ten; some notes are far more popular than others.
    async act(user) {
      const path = \`/note-\${user.zipf(1_000)}\`;
      if (user.random.chance(0.1)) {
        await user.fetch(path, { method: 'PUT', body: \`by user \${user.id}\` });
      } else {
        await user.fetch(path);
      }
    },
  }),
  objectives: { p99: '50ms', availability: 0.999 },
  invariants: [linearizable(notes)],
});
`;
}

function test(name: string): string {
  return `import { simulate } from 'loadpath';
import { expect, test } from 'vitest';
import design from './design.ts';

test('${name} keeps its promises while a replica is away', async () => {
  const report = await simulate(design, {
    seed: 1,
    for: '30s',
    faults: ['kill notes/1 at 10s, restart after 5s'],
  });
  expect(report.invariants.filter(({ verdict }) => verdict !== 'holds')).toEqual([]);
  expect(report.availability).toBeGreaterThan(0.99);
});
`;
}

function readme(name: string): string {
  return `# ${name}

Notes under a name, on a store of three copies. \`design.ts\` is the whole system.

\`\`\`sh
npm install
npx loadpath sim design.ts
npx loadpath sim design.ts --fault 'kill notes/1 at 10s, restart after 5s'
npx loadpath run design.ts --load --for 30s
npx loadpath hunt design.ts
npm test
\`\`\`

Then change something: \`replicas: 1\`, or \`consistency: 'quorum'\` with \`read: 1\` and \`write: 1\`, and
see which promise breaks first.
`;
}
