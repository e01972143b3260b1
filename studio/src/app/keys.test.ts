import { describe, expect, test } from 'vitest';
import { keyAction } from './keys.ts';

const press = (key: string, more = {}) =>
  keyAction({ key, ctrlKey: false, metaKey: false, altKey: false, ...more });

describe('keys', () => {
  test('digits open panels in their order, zero is left to the graph', () => {
    expect(press('1')).toEqual({ do: 'show', panel: 'verdict' });
    expect(press('9')).toEqual({ do: 'show', panel: 'hunt' });
    expect(press('0')).toBeUndefined();
  });

  test('letters mean the same with the caps lock on', () => {
    expect(press('K')).toEqual(press('k'));
  });

  test('what belongs to the browser stays its own', () => {
    expect(press('r', { ctrlKey: true })).toBeUndefined();
    expect(press('k', { metaKey: true })).toBeUndefined();
  });
});
