import { describe, expect, test } from 'vitest';
import { panels, panelsIn } from '../state/store.ts';
import { keyAction, keyHelp, meantBy } from './keys.ts';

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

  test('the help has the keys of the drawing board, too', () => {
    const board = keyHelp.filter(({ group }) => group === 'Board').flatMap(({ keys }) => keys);
    expect(board).toEqual(expect.arrayContaining(['Ctrl Z', 'Ctrl Y', 'C']));
  });

  test('what belongs to the browser stays its own', () => {
    expect(press('r', { ctrlKey: true })).toBeUndefined();
    expect(press('k', { metaKey: true })).toBeUndefined();
  });
});

test('faults are for what the keyboard led to, else for what is selected', () => {
  const target = (isSeen: boolean, dataset: Record<string, string>) => ({
    dataset,
    matches: (selectors: string) => selectors === ':focus-visible' && isSeen,
  });
  const selected = { type: 'block', id: 'api' } as const;
  const links = { type: 'node', id: 'links/1' } as const;
  expect(meantBy(target(true, links), null)).toEqual(links);
  expect(meantBy(target(true, links), selected)).toEqual(links);
  expect(meantBy(target(false, links), selected)).toEqual(selected);
  expect(meantBy(target(true, { tip: 'Run' }), selected)).toEqual(selected);
  expect(meantBy(null, null)).toBeNull();
});
