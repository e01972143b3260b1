/** How the page begins: with a report that it carries inside, or with its server, as often as it takes. */
import { readReport, reportElement } from 'loadpath/studio';
import { Refused } from '../api/client.ts';
import { keepLink } from '../share/link.ts';
import { sessionOf, sessionText } from '../state/session.ts';
import type { Studio } from './studio.ts';

const sessionKey = 'loadpath.session';
const retryMs = 1_500;

export async function openPage({ store, actions }: Studio): Promise<void> {
  const carried = document.getElementById(reportElement)?.textContent;
  if (carried) {
    try {
      actions.openReport(await readReport(carried));
    } catch (error) {
      refuse(error);
    }
    return;
  }
  addEventListener('pagehide', () => {
    store.setState({ notices: [] });
    writeSession(sessionText(store.getState()));
  });
  for (;;) {
    try {
      await actions.open(sessionOf(readSession()));
      return;
    } catch (error) {
      // A wrong token stays wrong; a server that is not there may come back.
      if (error instanceof Refused) {
        keepForLater(location.hash);
        return refuse(error);
      }
      store.setState({ connection: 'lost' });
    }
    await new Promise((resolve) => setTimeout(resolve, retryMs));
  }

  function refuse(error: unknown): void {
    const refusal = error instanceof Refused ? error.refusal : undefined;
    const message = error instanceof Error ? error.message : String(error);
    store.setState({ refusal: refusal ?? { code: 'failed', message, problems: [] } });
  }
}

function keepForLater(fragment: string): void {
  try {
    keepLink(localStorage, fragment);
  } catch {
    // Without storage it has to be put behind the address by hand, as the page says.
  }
}

/** Private windows may refuse storage; then a reloaded tab begins anew. */
function readSession(): string | null {
  try {
    return sessionStorage.getItem(sessionKey);
  } catch {
    return null;
  }
}

function writeSession(text: string): void {
  try {
    sessionStorage.setItem(sessionKey, text);
  } catch {
    // As above.
  }
}
