import { expect, test } from 'vitest';
import { blockOfKind, kinds } from './by-kind.ts';
import { blocks } from './index.ts';

test('a node that runs without its design has the blocks that the design has', async () => {
  expect([...kinds].sort()).toEqual(blocks.map(({ kind }) => kind).sort());
  for (const block of blocks) expect(await blockOfKind(block.kind)).toBe(block);
  expect(await blockOfKind('nonsense')).toBeUndefined();
});
