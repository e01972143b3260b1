/** The fault menu where it was asked for; and the second question that a live system is owed. */

import { FaultMenu } from '../faults/FaultMenu.tsx';
import { Button } from '../parts/Button.tsx';
import { Dialog } from '../parts/Dialog.tsx';
import { faultTimeUs } from '../state/fault-actions.ts';
import { timeText } from '../state/faults.ts';
import { shownRun, shownStructure } from '../state/store.ts';
import styles from './FaultMenuHost.module.css';
import { useActions, useStudio, useStudioState } from './studio.ts';
import { describeTarget } from './target.ts';

export function FaultMenuHost() {
  const { store } = useStudio();
  const actions = useActions();
  const menu = useStudioState((state) => state.faultMenu);
  const structure = useStudioState(shownStructure);
  const mode = useStudioState((state) => state.hello?.mode);
  const pending = useStudioState((state) => state.pendingFault);
  const isLive = mode === 'live';
  return (
    <>
      {menu && structure && (
        <FaultMenu
          key={`${menu.target.type} ${menu.target.id} ${menu.x} ${menu.y}`}
          target={menu.target}
          what={describeTarget(menu.target, structure)}
          at={menu}
          design={structure}
          nowText={
            isLive ? null : timeText(faultTimeUs(store.getState(), shownRun(store.getState())))
          }
          onFault={(sentence) =>
            isLive ? actions.askLive(sentence) : void actions.inflict(sentence)
          }
          onInspect={() => {
            actions.closeFaultMenu();
            actions.inspect(menu.target);
          }}
          onClose={actions.closeFaultMenu}
        />
      )}
      {pending !== null && (
        <Dialog
          title="Do this to the running system?"
          onClose={() => actions.askLive(null)}
          actions={
            <>
              <Button onPress={() => actions.askLive(null)}>Leave it alone</Button>
              <Button tone="danger" icon="bolt" onPress={() => void actions.inflictLive(pending)}>
                Do it now
              </Button>
            </>
          }
        >
          <p className={styles.sentence}>
            <code>{pending}</code>
          </p>
          <p>
            It happens at once, to real processes, their sockets and files. “Heal” ends what can be
            ended; data that a fault destroyed stays destroyed.
          </p>
        </Dialog>
      )}
    </>
  );
}
