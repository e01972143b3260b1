/** What processes begin with: joined scripts, and code that was kept for them, which may be anything by the time it is read. */
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bundleDesign } from '../src/run/node/bundle.ts';
import { bundleIn, keepBundle } from '../src/run/node/kept-bundle.ts';
import { loadBundle } from '../src/run/node/load.ts';
import { root } from './checkout.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'loadpath-starts-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Start {
  entriesOf(script: 'nodes' | 'all'): Readonly<Record<string, () => Record<string, unknown>>>;
}

/** What `linked/` gives with its code for nodes changed. */
function started(name: string, change: (code: Buffer) => Uint8Array | undefined): unknown {
  const place = join(folder, name);
  cpSync(join(root, 'dist/linked'), place, { recursive: true });
  const own = `nodes.${process.versions.v8}-${process.arch}.code`;
  expect(readdirSync(place), 'the build kept code for nodes').toContain(own);
  // As a store's process has it, which begins with less.
  expect(readdirSync(place)).toContain(own.replace('nodes', 'nodes-kv'));
  const changed = change(readFileSync(join(place, own)));
  if (changed) writeFileSync(join(place, own), changed);
  else rmSync(join(place, own));
  const start = createRequire(import.meta.url)(join(place, 'start.cjs')) as Start;
  return start.entriesOf('nodes')['blocks/by-kind']!().kinds;
}

test('code that is missing, cut short or damaged is done without', () => {
  const whole = started('whole', (code) => code);
  expect(whole).toContain('kv');
  expect(started('missing', () => undefined)).toEqual(whole);
  expect(started('short', (code) => code.subarray(0, code.length >> 1))).toEqual(whole);
  expect(started('empty', () => new Uint8Array(0))).toEqual(whole);
  const flipped = started('flipped', (code) => {
    code[code.length >> 1]! ^= 1;
    return code;
  });
  expect(flipped).toEqual(whole);
});

test('a design that was kept is the design, with its code and without', async () => {
  const bundle = await bundleDesign(join(root, 'bench/designs/hono-live.ts'));
  const first = await loadBundle(bundle);
  const known = first.evaluate().exports;
  const kept = keepBundle(bundle, first.engineCode(), join(folder, 'design'));
  const read = bundleIn(kept);
  expect({ ...read.bundle, map: read.bundle.map }).toEqual(bundle);
  expect(read.engine).toBeDefined();
  const again = await loadBundle(read.bundle, read.engine);
  expect(Object.keys(again.evaluate().exports)).toEqual(Object.keys(known));

  writeFileSync(kept.engineFile, readFileSync(kept.engineFile).subarray(1));
  expect(bundleIn(kept).engine).toBeUndefined();
  rmSync(kept.engineFile);
  expect(bundleIn(kept).engine).toBeUndefined();
});
