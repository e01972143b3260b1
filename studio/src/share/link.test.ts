import { describe, expect, test } from 'vitest';
import { designIn, fragmentOf } from './link.ts';

const design = { name: 'shop', blocks: { api: { kind: 'service', cost: '2ms — “quick”' } } };

describe('a design in a link', () => {
  test('comes out as it went in', async () => {
    const fragment = await fragmentOf(design);
    expect(fragment).toMatch(/^design=[\w-]+$/);
    expect(await designIn(`#${fragment}`)).toEqual(design);
  });

  test('another fragment holds none', async () => {
    expect(await designIn('')).toBeUndefined();
    expect(await designIn('#charts')).toBeUndefined();
  });

  test('one that was cut off says so', async () => {
    const fragment = await fragmentOf(design);
    await expect(designIn(`#${fragment.slice(0, -9)}`)).rejects.toThrow('cut off or changed');
  });
});
