import { describe, expect, test } from 'vitest';
import { panels, panelsIn } from '../state/store.ts';
import { keyAction } from './keys.ts';

const press = (key: string, more = {}, tabs = panelsIn.design) =>
  keyAction({ key, ctrlKey: false, metaKey: false, altKey: false, ...more }, tabs);

describe('keys', () => {
  test('digits open panels in their order, zero is left to the graph', () => {
    expect(press('1')).toEqual({ do: 'show', panel: 'verdict' });
    expect(press('9')).toEqual({ do: 'show', panel: 'hunt' });
    expect(press('0')).toBeUndefined();
  });

  test('open no panel that has no tab: of a saved report, of a running system', () => {
    const opened = (tabs: typeof panelsIn.design) =>
      [...'123456789s'].filter((key) => press(key, {}, tabs) !== undefined).join('');
    expect(opened(panels)).toBe('123456789s');
    expect(opened(panelsIn.live)).toBe('1234s');
    expect(opened(panelsIn.report)).toBe('124');
    expect(press('4', {}, panelsIn.report)).toEqual({ do: 'show', panel: 'inspect' });
  });

  test('letters mean the same with the caps lock on', () => {
    expect(press('K')).toEqual(press('k'));
  });

  test('what belongs to the browser stays its own', () => {
    expect(press('r', { ctrlKey: true })).toBeUndefined();
    expect(press('k', { metaKey: true })).toBeUndefined();
  });
});
