/** Faults saved with a design: of data in its file, of code beside it. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { service } from '../../blocks/compute/service/index.ts';
import { system } from '../../design/system.ts';
import { simulate } from '../simulate.ts';
import { savedFaults, saveFaults } from './saved-faults.ts';

let folder: string;
let design: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'saved faults '));
  design = join(folder, 'design.ts');
  writeFileSync(
    design,
    `import { service, system, users } from 'loadpath';
     const api = service('api', { instances: 2, cost: '1ms', calls: [] });
     export default system('one', {
       entry: api,
       workload: users({ rate: '20/s' }),
       faults: ['pause api/1 at 1s for 100ms'],
     });`,
  );
});
afterEach(() => rmSync(folder, { recursive: true }));

const beside = (text: string): void => writeFileSync(join(folder, 'design.faults'), text);
const written = (): string => readFileSync(join(folder, 'design.faults'), 'utf8');

describe('beside a design of code', () => {
  test('they happen in every run of it, after its own', async () => {
    beside(
      '# Both at once.\nkill api/0 at 500ms, restart after 1s\n\n  pause api/0 at 2s for 50ms\n',
    );
    const { events } = await simulate(design, { for: '3s' });
    expect(
      events.flatMap((event) => (event.type === 'fault' && event.began ? event.text : [])),
    ).toEqual(['kill api/0', 'pause api/1', 'pause api/0']);
  });

  test('a sentence that cannot be is named by file and line, with all the others', async () => {
    beside('# A wish.\nkill apu/0 at 1s\nkill api/0 at 1s\n\nkil api/1 at 2s\n');
    await expect(simulate(design, { for: '1s' })).rejects.toThrow(
      /one has 2 mistakes:\n {2}.*design\.faults:2: .*apu.*\n.* {2}.*design\.faults:5: .*kil/s,
    );
  });

  test('are read as they were saved, and comments stay where they were', () => {
    expect(savedFaults(design)).toEqual([]);
    expect(saveFaults(design, ['kill api/0 at 1s'])).toBe(join(folder, 'design.faults'));
    expect(written()).toBe('# Faults of every run of design.ts, one a line.\n\nkill api/0 at 1s\n');
    beside(
      '# Ours.\n\n# The bad day.\nkill api/0 at 1s\n# Gone tomorrow.\nsurge 2x at 2s for 1s\n',
    );
    saveFaults(design, ['pause api/1 at 3s for 1s', 'kill api/0 at 1s']);
    expect(written()).toBe(
      '# Ours.\n\npause api/1 at 3s for 1s\n# The bad day.\nkill api/0 at 1s\n',
    );
    expect(savedFaults(design)).toEqual(['pause api/1 at 3s for 1s', 'kill api/0 at 1s']);
    saveFaults(design, []);
    expect(written()).toBe('# Ours.\n');
  });

  test('what is no sentence is not saved', () => {
    for (const broken of ['', '# no', 'kill api/0 at 1s\nkill api/1 at 1s']) {
      expect(() => saveFaults(design, [broken])).toThrow('one sentence on one line');
    }
    expect(savedFaults(design)).toEqual([]);
  });
});

test('a design of data holds them itself, and keeps the rest of its file', () => {
  const file = join(folder, 'shop.json');
  writeFileSync(file, JSON.stringify({ name: 'shop', blocks: [], faults: ['a'], entry: 'x' }));
  expect(savedFaults(file)).toEqual(['a']);
  expect(saveFaults(file, ['b', 'c'])).toBe(file);
  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({
    name: 'shop',
    blocks: [],
    faults: ['b', 'c'],
    entry: 'x',
  });
  saveFaults(file, []);
  expect(readFileSync(file, 'utf8')).toBe(
    '{\n  "name": "shop",\n  "blocks": [],\n  "entry": "x"\n}\n',
  );
});

describe('options set from outside', () => {
  test('reach a design of code that is read from its file, and the report says so', async () => {
    const report = await simulate(design, { for: '1s', set: { 'api.instances': 3 } });
    expect(report.blocks.api!.nodes).toHaveLength(3);
    expect(report.notes).toContain('with api.instances = 3 instead of 2');
    const plain = await simulate(design, { for: '1s' });
    expect(plain.blocks.api!.nodes).toHaveLength(2);
    expect(plain.notes.filter((note) => note.startsWith('with '))).toEqual([]);
  });

  test('cannot reach a value, which has its options already', async () => {
    const made = system('one', { entry: service('api', { cost: '1ms' }) });
    await expect(simulate(made, { set: { 'api.instances': 3 } })).rejects.toThrow(
      'set: needs the path of a design',
    );
  });
});
