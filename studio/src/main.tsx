import { createRoot } from 'react-dom/client';
import './theme/font.css';
import './theme/tokens.css';
import { createClient } from './api/client.ts';
import { App } from './app/App.tsx';
import { openPage } from './app/open.ts';
import { StudioContext } from './app/studio.ts';
import { createActions } from './state/actions.ts';
import { createStudioStore } from './state/store.ts';
import { applyTheme, resolveTheme, storedThemeChoice, systemIsDark } from './theme/theme.ts';

const place = document.getElementById('studio');
if (!place) throw new Error('index.html has no element with the id studio');

/** The page is served by the same machine; if the font is not there by then, it comes later. */
const fontWaitMs = 200;

const theme = storedThemeChoice();
// Before the first paint, so that a dark page never flashes.
applyTheme(resolveTheme(theme, systemIsDark()));

const client = createClient('', new URLSearchParams(location.search).get('token') ?? '');
const store = createStudioStore({ theme });
const actions = createActions(store, client);
// Canvases measure and paint text once: with the font that stays.
await Promise.race([document.fonts.load('13px "Inter Variable"'), after(fontWaitMs)]);
createRoot(place).render(
  <StudioContext value={{ store, actions, client }}>
    <App />
  </StudioContext>,
);
void openPage({ store, actions, client });

function after(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
