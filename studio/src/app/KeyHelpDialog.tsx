import { Dialog } from '../parts/Dialog.tsx';
import styles from './KeyHelpDialog.module.css';
import { keyHelp } from './keys.ts';

export function KeyHelpDialog({ onClose }: { readonly onClose: () => void }) {
  const groups = [...new Set(keyHelp.map(({ group }) => group))];
  return (
    <Dialog title="Keys" wide onClose={onClose}>
      <div className={styles.groups}>
        {groups.map((group) => (
          <section key={group}>
            <h3>{group}</h3>
            <dl>
              {keyHelp
                .filter((help) => help.group === group)
                .map(({ keys, what }) => (
                  <div key={what}>
                    <dt>
                      {keys.map((key) => (
                        <kbd key={key}>{key}</kbd>
                      ))}
                    </dt>
                    <dd>{what}</dd>
                  </div>
                ))}
            </dl>
          </section>
        ))}
      </div>
    </Dialog>
  );
}
