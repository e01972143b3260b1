import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { HistoryWriter, readHistory } from './history-file.ts';

test('what one node asks in the instant in which another is answered stands before the answer', () => {
  const folder = mkdtempSync(join(tmpdir(), 'loadpath-history-'));
  try {
    const [first, second] = ['api/0', 'api/1'].map((node) => new HistoryWriter(folder, node, 1));
    const entry = { block: 'links', op: 1, f: 'put', key: 'a' };
    first!.add({ ...entry, phase: 'invoke', value: 1 }, 3);
    first!.add({ ...entry, phase: 'ok' }, 7);
    second!.add({ ...entry, phase: 'invoke', f: 'get' }, 7);
    for (const writer of [first!, second!]) {
      writer.flush();
      writer.close();
    }
    expect(readHistory(folder).map(({ node, phase }) => `${node} ${phase}`)).toEqual([
      'api/0 invoke',
      'api/1 invoke',
      'api/0 ok',
    ]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
