/** A button that opens a list of things to do; arrow keys, first letters, Enter. */
import { type KeyboardEvent, useRef, useState } from 'react';
import { Button, type ButtonProps } from './Button.tsx';
import { Icon, type IconName } from './Icon.tsx';
import styles from './Menu.module.css';
import { type Point, Popover } from './Popover.tsx';

export interface MenuItem {
  readonly label: string;
  /** A second line: what for. */
  readonly detail?: string | undefined;
  readonly icon?: IconName | undefined;
  readonly shortcut?: string | undefined;
  readonly disabled?: boolean | undefined;
  readonly checked?: boolean | undefined;
  readonly onPress: () => void;
}

export interface MenuProps {
  readonly at: Point;
  readonly alignEnd?: boolean | undefined;
  readonly label: string;
  readonly items: readonly MenuItem[];
  readonly onClose: () => void;
}

export function Menu({ at, alignEnd, label, items, onClose }: MenuProps) {
  return (
    <Popover at={at} alignEnd={alignEnd} label={label} role="menu" onClose={onClose}>
      {items.map((item) => (
        <button
          key={item.label}
          type="button"
          role="menuitem"
          className={styles.item}
          disabled={item.disabled}
          onKeyDown={(event) => moveFocus(event)}
          onClick={() => {
            onClose();
            item.onPress();
          }}
        >
          <span className={styles.icon}>{item.icon && <Icon name={item.icon} />}</span>
          <span className={styles.words}>
            {item.label}
            {item.detail && <span className={styles.detail}>{item.detail}</span>}
          </span>
          {item.checked && (
            <>
              <span className="unseen">chosen</span>
              <Icon name="check" />
            </>
          )}
          {item.shortcut && <kbd className={styles.key}>{item.shortcut}</kbd>}
        </button>
      ))}
    </Popover>
  );
}

export interface MenuButtonProps
  extends Omit<ButtonProps, 'onPress' | 'opens' | 'expanded' | 'ref'> {
  readonly label: string;
  readonly items: readonly MenuItem[];
  readonly alignEnd?: boolean | undefined;
}

export function MenuButton({ items, label, alignEnd, ...button }: MenuButtonProps) {
  const anchor = useRef<HTMLButtonElement>(null);
  const [at, setAt] = useState<Point | null>(null);
  return (
    <>
      <Button
        {...button}
        ref={anchor}
        opens="menu"
        expanded={at !== null}
        onPress={() => {
          const box = anchor.current!.getBoundingClientRect();
          setAt({ x: alignEnd ? box.right : box.left, y: box.bottom + 4 });
        }}
      />
      {at && (
        <Menu at={at} alignEnd={alignEnd} label={label} items={items} onClose={() => setAt(null)} />
      )}
    </>
  );
}

/** Arrow keys, Home and End among the buttons of the same box. */
export function moveFocus(event: KeyboardEvent<HTMLElement>, kin = '[role="menuitem"]'): void {
  const box = event.currentTarget.closest('[role="menu"], [role="dialog"], [role="listbox"]');
  const all = [...(box?.querySelectorAll<HTMLElement>(`button${kin}:not(:disabled)`) ?? [])];
  const here = all.indexOf(event.currentTarget);
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  const target =
    step !== undefined
      ? all[(here + step + all.length) % all.length]
      : event.key === 'Home'
        ? all[0]
        : event.key === 'End'
          ? all.at(-1)
          : undefined;
  if (!target) return;
  event.preventDefault();
  target.focus();
}
