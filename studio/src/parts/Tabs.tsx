/** Tabs as a rail of icons with names, or as a row of words. Arrow keys move, as everywhere. */
import { type KeyboardEvent, useRef } from 'react';
import { Icon, type IconName } from './Icon.tsx';
import styles from './Tabs.module.css';

export interface Tab<Id extends string> {
  readonly id: Id;
  readonly label: string;
  readonly icon?: IconName | undefined;
  readonly shortcut?: string | undefined;
  readonly tip?: string | undefined;
  /** A small count or sign on it. */
  readonly badge?: { readonly text: string; readonly tone: 'plain' | 'bad' | 'good' } | undefined;
}

export interface TabsProps<Id extends string> {
  readonly tabs: readonly Tab<Id>[];
  readonly chosen: Id;
  readonly onChoose: (id: Id) => void;
  readonly label: string;
  /** The id of the element that holds what the chosen tab shows. */
  readonly controls: string;
  readonly vertical?: boolean | undefined;
}

export function Tabs<Id extends string>(props: TabsProps<Id>) {
  const { tabs, chosen, onChoose, vertical } = props;
  const list = useRef<HTMLDivElement>(null);

  function move(event: KeyboardEvent): void {
    const [back, forth] = vertical ? ['ArrowUp', 'ArrowDown'] : ['ArrowLeft', 'ArrowRight'];
    const here = tabs.findIndex(({ id }) => id === chosen);
    const there =
      event.key === forth
        ? (here + 1) % tabs.length
        : event.key === back
          ? (here - 1 + tabs.length) % tabs.length
          : event.key === 'Home'
            ? 0
            : event.key === 'End'
              ? tabs.length - 1
              : undefined;
    if (there === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    onChoose(tabs[there]!.id);
    list.current?.querySelectorAll<HTMLElement>('[role="tab"]')[there]?.focus();
  }

  return (
    <div
      ref={list}
      role="tablist"
      aria-label={props.label}
      aria-orientation={vertical ? 'vertical' : 'horizontal'}
      className={vertical ? styles.rail : styles.row}
    >
      {tabs.map((tab) => (
        <button
          key={tab.id}
          id={`${props.controls}-tab-${tab.id}`}
          type="button"
          role="tab"
          aria-selected={tab.id === chosen}
          aria-controls={props.controls}
          aria-keyshortcuts={tab.shortcut}
          tabIndex={tab.id === chosen ? 0 : -1}
          className={styles.tab}
          data-tip={tab.tip}
          data-key={tab.shortcut}
          onClick={() => onChoose(tab.id)}
          onKeyDown={move}
        >
          {tab.icon && <Icon name={tab.icon} size={vertical ? 18 : 16} />}
          <span>{tab.label}</span>
          {tab.badge && (
            <span className={`${styles.badge} ${styles[tab.badge.tone]}`}>{tab.badge.text}</span>
          )}
        </button>
      ))}
    </div>
  );
}
