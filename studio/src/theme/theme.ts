/**
 * Light or dark. The choice is kept per browser; `system` follows the machine, also while the page
 * is open. What draws on a canvas reads the same tokens as the style sheets, by `readTokens`.
 */
export type ThemeChoice = 'system' | 'light' | 'dark';
export type Theme = 'light' | 'dark';

const storageKey = 'loadpath.theme';
const order: readonly ThemeChoice[] = ['system', 'light', 'dark'];

export function resolveTheme(choice: ThemeChoice, systemIsDark: boolean): Theme {
  if (choice !== 'system') return choice;
  return systemIsDark ? 'dark' : 'light';
}

export function nextTheme(choice: ThemeChoice): ThemeChoice {
  return order[(order.indexOf(choice) + 1) % order.length]!;
}

/** Anything else that stands in storage counts as no choice. */
export function readThemeChoice(stored: string | null): ThemeChoice {
  return order.find((choice) => choice === stored) ?? 'system';
}

/** What the browser holds, if it lets us: private windows may refuse storage. */
export function storedThemeChoice(): ThemeChoice {
  try {
    return readThemeChoice(localStorage.getItem(storageKey));
  } catch {
    return 'system';
  }
}

export function storeThemeChoice(choice: ThemeChoice): void {
  try {
    localStorage.setItem(storageKey, choice);
  } catch {
    // The choice then lasts as long as the page.
  }
}

export function systemIsDark(): boolean {
  return matchMedia('(prefers-color-scheme: dark)').matches;
}

const listeners = new Set<() => void>();

/** The style sheets first, then whoever draws with their colours. */
export function applyTheme(theme: Theme): void {
  document.documentElement.dataset.theme = theme;
  for (const listener of listeners) listener();
}

/** The one that the page shows now: a choice of `system` may be either. */
export function shownTheme(): Theme {
  return document.documentElement.dataset.theme === 'dark' ? 'dark' : 'light';
}

export function onTheme(listener: () => void): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

/** Values of tokens (`'--accent'`) as they stand now, for canvases. Read again when the theme changes. */
export function readTokens<Name extends string>(
  names: readonly Name[],
  element: Element = document.documentElement,
): Record<Name, string> {
  const style = getComputedStyle(element);
  const entries = names.map((name) => [name, style.getPropertyValue(name).trim()] as const);
  return Object.fromEntries(entries) as Record<Name, string>;
}
