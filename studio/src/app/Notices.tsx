/** Things said once, in a corner. */
import { useEffect } from 'react';
import { IconButton } from '../parts/Button.tsx';
import { Icon } from '../parts/Icon.tsx';
import type { Notice } from '../state/store.ts';
import styles from './Notices.module.css';
import { useActions, useStudioState } from './studio.ts';

const shownMs = 6_000;

export function Notices() {
  const notices = useStudioState((state) => state.notices);
  return (
    <div className={styles.notices} role="status" aria-live="polite">
      {notices.map((notice) => (
        <NoticeCard key={notice.id} notice={notice} />
      ))}
    </div>
  );
}

function NoticeCard({ notice }: { readonly notice: Notice }) {
  const actions = useActions();
  useEffect(() => {
    const timer = setTimeout(() => actions.dismissNotice(notice.id), shownMs);
    return () => clearTimeout(timer);
  }, [actions, notice.id]);
  return (
    <div className={`${styles.card} ${styles[notice.tone]}`}>
      <Icon name={notice.tone === 'bad' ? 'alert' : 'check'} />
      <p>{notice.text}</p>
      <IconButton
        small
        icon="close"
        label="Dismiss"
        onPress={() => actions.dismissNotice(notice.id)}
      />
    </div>
  );
}
