/** A design that came in a link: asked about before it takes the place of what is on the board. */
import type { JsonDesign } from 'loadpath/studio';
import { useEffect, useState } from 'react';
import { Button } from '../parts/Button.tsx';
import { Dialog } from '../parts/Dialog.tsx';
import { designIn, takeLink } from '../share/link.ts';
import { useStudio, useStudioState } from './studio.ts';

/** Of a link that was opened before the address with the token was. */
function linkFromBefore(): string {
  try {
    return takeLink(localStorage);
  } catch {
    return '';
  }
}

export function LinkOffer() {
  const { actions, client } = useStudio();
  const kind = useStudioState((state) => state.design?.kind);
  const path = useStudioState((state) => state.design?.path);
  const mode = useStudioState((state) => state.hello?.mode);
  const isBoard = mode === 'design' && kind === 'data';
  const [offered, setOffered] = useState<JsonDesign | null>(null);

  useEffect(() => {
    const lookAt = (fragment: string) =>
      void actions.attempt(async () => setOffered((await designIn(fragment)) ?? null));
    const look = () => lookAt(location.hash);
    // One that was kept waits for a board.
    lookAt(location.hash || (isBoard ? linkFromBefore() : ''));
    addEventListener('hashchange', look);
    return () => removeEventListener('hashchange', look);
  }, [actions, isBoard]);

  if (!offered) return null;
  const close = () => {
    // A reload must not ask again.
    history.replaceState(null, '', location.pathname + location.search);
    setOffered(null);
  };
  const name = typeof offered.name === 'string' ? `“${offered.name}”` : 'without a name';
  if (!isBoard) {
    return (
      <Dialog title="The link holds a design" onClose={close}>
        <p>
          It was drawn, and this page shows {mode === 'design' ? 'a design of code' : 'a run'}.
          Start a board for it with <code>npx loadpath studio --new shop.json</code>, and open the
          part behind <code>#</code> there.
        </p>
      </Dialog>
    );
  }
  return (
    <Dialog
      title="Put the design of the link on the board?"
      onClose={close}
      actions={
        <>
          <Button onPress={close}>Keep what is there</Button>
          <Button
            tone="primary"
            onPress={() => {
              close();
              void actions.attempt(async () => {
                await client.saveDesign(offered);
              });
            }}
          >
            Put it on the board
          </Button>
        </>
      }
    >
      <p>
        The link holds a design {name}. It takes the place of what is in <code>{path}</code>.
      </p>
    </Dialog>
  );
}
