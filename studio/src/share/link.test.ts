import { describe, expect, test } from 'vitest';
import { designIn, fragmentOf, keepLink, takeLink } from './link.ts';

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

test('a link that no page opened is kept until one does, and offered once', () => {
  const kept = new Map<string, string>();
  const storage = {
    getItem: (name: string) => kept.get(name) ?? null,
    setItem: (name: string, value: string) => void kept.set(name, value),
    removeItem: (name: string) => void kept.delete(name),
  };
  keepLink(storage, '#charts');
  expect(takeLink(storage)).toBe('');
  keepLink(storage, '#design=q1Y');
  expect(takeLink(storage)).toBe('#design=q1Y');
  expect(takeLink(storage)).toBe('');
});
