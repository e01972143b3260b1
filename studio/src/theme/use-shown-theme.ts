import { useSyncExternalStore } from 'react';
import { onTheme, shownTheme, type Theme } from './theme.ts';

/**
 * For what draws on a canvas. Not the choice in the state: that changes before the style sheets do, and
 * stays `system` when the machine goes dark.
 */
export function useShownTheme(): Theme {
  return useSyncExternalStore(onTheme, shownTheme);
}
