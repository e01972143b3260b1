import { describe, expect, test } from 'vitest';
import { nextTheme, readThemeChoice, resolveTheme } from './theme.ts';

describe('theme', () => {
  test('system follows the machine, a choice does not', () => {
    expect(resolveTheme('system', true)).toBe('dark');
    expect(resolveTheme('system', false)).toBe('light');
    expect(resolveTheme('light', true)).toBe('light');
  });

  test('the switch goes round', () => {
    expect(nextTheme('system')).toBe('light');
    expect(nextTheme('dark')).toBe('system');
  });

  test('what an old version stored counts as no choice', () => {
    expect(readThemeChoice('sepia')).toBe('system');
    expect(readThemeChoice(null)).toBe('system');
    expect(readThemeChoice('dark')).toBe('dark');
  });
});
