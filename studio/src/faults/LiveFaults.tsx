/** Faults of a running system: what is at work, how to end it, how to do more. */
import type { StructuralView } from 'loadpath/studio';
import { Button } from '../parts/Button.tsx';
import { Empty } from '../parts/Empty.tsx';
import { FaultInput } from './FaultInput.tsx';
import styles from './FaultsPanel.module.css';
import { namesOf } from './verbs.ts';

export interface LiveFaultsProps {
  readonly design: StructuralView;
  readonly active: readonly string[];
  readonly onFault: (sentence: string) => void;
  readonly onHeal: () => void;
}

export function LiveFaults({ design, active, onFault, onHeal }: LiveFaultsProps) {
  return (
    <section className={styles.panel} aria-label="Faults">
      <FaultInput
        label="Do a fault now"
        placeholder="kill links/1, restart after 5s"
        names={namesOf(design)}
        nowText={null}
        onDone={onFault}
      />
      {active.length === 0 ? (
        <Empty icon="bolt" title="Nothing is broken">
          Right-click a node, a zone or a path in the graph. You are asked once more before it is
          done to the running system.
        </Empty>
      ) : (
        <>
          <div className={styles.bar}>
            <Button
              tone="primary"
              icon="heal"
              onPress={onHeal}
              tip="End all faults that can be ended"
            >
              Heal
            </Button>
          </div>
          <ul className={styles.list}>
            {active.map((text) => (
              <li key={text} className={`${styles.row} ${styles.now}`}>
                <code>{text}</code>
              </li>
            ))}
          </ul>
        </>
      )}
    </section>
  );
}
