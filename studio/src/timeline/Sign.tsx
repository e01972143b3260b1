/** What happened, by shape first and colour second. */
import type { MarkType } from '../state/marks.ts';
import styles from './Timeline.module.css';

const shapes: Readonly<Record<MarkType, string>> = {
  // A cross, an arrow up, a dot, a flag, a bolt, a broken shield.
  crash: 'M2 2l8 8M10 2l-8 8',
  boot: 'M6 10V2.5M2.8 5.5 6 2.2l3.2 3.3',
  note: 'M6 4.4a1.6 1.6 0 1 1 0 3.2 1.6 1.6 0 0 1 0-3.2z',
  objective: 'M3 11V1.5h6.5L7.6 4l1.9 2.6H3z',
  fault: 'M7 1 2.5 7H6l-.8 4L9.5 5H6z',
  invariant:
    'M6 1l4.5 1.6v3.2c0 2.6-2 4.3-4.5 5.2-2.5-.9-4.5-2.6-4.5-5.2V2.6zM4.2 4.4l3.6 3.4M7.8 4.4 4.2 7.8',
};

export function Sign({ type, count }: { readonly type: MarkType; readonly count: number }) {
  return (
    <>
      <svg aria-hidden="true" width="12" height="12" viewBox="0 0 12 12" className={styles[type]}>
        <path d={shapes[type]} />
      </svg>
      {count > 1 && <span className={styles.count}>{count}</span>}
    </>
  );
}
