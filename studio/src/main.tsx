import { createRoot } from 'react-dom/client';
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

const theme = storedThemeChoice();
// Before the first paint, so that a dark page never flashes.
applyTheme(resolveTheme(theme, systemIsDark()));

const client = createClient('', new URLSearchParams(location.search).get('token') ?? '');
const store = createStudioStore({ theme });
const actions = createActions(store, client);
createRoot(place).render(
  <StudioContext value={{ store, actions, client }}>
    <App />
  </StudioContext>,
);
void openPage({ store, actions, client });
