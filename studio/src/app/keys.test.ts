import { describe, expect, test } from 'vitest';
import { keyAction, keyHelp } from './keys.ts';

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

  test('the help has the keys of the drawing board, too', () => {
    const board = keyHelp.filter(({ group }) => group === 'Board').flatMap(({ keys }) => keys);
    expect(board).toEqual(expect.arrayContaining(['Ctrl Z', 'Ctrl Y', 'C']));
  });

  test('what belongs to the browser stays its own', () => {
    expect(press('r', { ctrlKey: true })).toBeUndefined();
    expect(press('k', { metaKey: true })).toBeUndefined();
  });
});
