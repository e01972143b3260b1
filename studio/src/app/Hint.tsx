/** What a newcomer can do, until it was done once. */
import { useState } from 'react';
import { IconButton } from '../parts/Button.tsx';
import { Icon } from '../parts/Icon.tsx';
import { shownRun } from '../state/store.ts';
import styles from './GraphArea.module.css';
import { useStudioState } from './studio.ts';

const key = 'loadpath.hinted';

export function Hint() {
  const wasBroken = useStudioState(
    (state) =>
      state.faultList.some(({ origin }) => origin === 'added') ||
      shownRun(state)?.events.some(({ type }) => type === 'fault'),
  );
  const isMenuOpen = useStudioState((state) => state.faultMenu !== null);
  const [isDismissed, setDismissed] = useState(() => stored());
  if (isDismissed || wasBroken || isMenuOpen) return null;
  return (
    <div className={styles.hint}>
      <Icon name="bolt" />
      <span>
        <b>Right-click a node to break it</b> and see what gives
      </span>
      <IconButton
        small
        icon="close"
        label="Dismiss"
        onPress={() => {
          store();
          setDismissed(true);
        }}
      />
    </div>
  );
}

function stored(): boolean {
  try {
    return localStorage.getItem(key) !== null;
  } catch {
    return false;
  }
}

function store(): void {
  try {
    localStorage.setItem(key, 'yes');
  } catch {
    // It will be said again.
  }
}
