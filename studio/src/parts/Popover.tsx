/**
 * A box at a point or under an element: stays inside the window, closes on Escape, on a press
 * elsewhere and when the window changes, and gives the focus back to who had it.
 */
import { type ReactNode, useEffect, useLayoutEffect, useRef, useState } from 'react';
import { createPortal } from 'react-dom';
import styles from './Popover.module.css';

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface PopoverProps {
  /** Where its upper left corner should be; it moves in where there is no room. */
  readonly at: Point;
  /** The point is its upper right corner instead. */
  readonly alignEnd?: boolean | undefined;
  readonly label: string;
  readonly role: 'menu' | 'dialog' | 'listbox';
  readonly onClose: () => void;
  readonly children: ReactNode;
  readonly className?: string | undefined;
}

const edge = 8;

export function Popover(props: PopoverProps) {
  const { at, alignEnd, onClose } = props;
  const box = useRef<HTMLDivElement>(null);
  // Measured where there is room, so that the edge of the window does not squeeze it.
  const [place, setPlace] = useState<Point>({ x: 0, y: 0 });
  const close = useRef(onClose);
  close.current = onClose;
  const isMenu = props.role === 'menu';

  useLayoutEffect(() => {
    const element = box.current;
    if (!element) return;
    const { offsetWidth: width, offsetHeight: height } = element;
    const left = alignEnd ? at.x - width : at.x;
    setPlace({
      x: Math.max(edge, Math.min(left, innerWidth - width - edge)),
      y: Math.max(edge, Math.min(at.y, innerHeight - height - edge)),
    });
  }, [at.x, at.y, alignEnd]);

  useEffect(() => {
    const former = document.activeElement;
    const first = box.current?.querySelector<HTMLElement>('[data-autofocus]');
    (first ?? box.current?.querySelector<HTMLElement>('button, input, select'))?.focus();
    const pressedElsewhere = (event: PointerEvent) => {
      if (!box.current?.contains(event.target as Node)) close.current();
    };
    const closeNow = () => close.current();
    const element = box.current;
    const pressedKey = (event: KeyboardEvent) => {
      if (event.key !== 'Escape' && !(event.key === 'Tab' && isMenu)) return;
      // What lies below has its own idea of Escape.
      event.stopPropagation();
      close.current();
    };
    const noMenu = (event: Event) => event.preventDefault();
    addEventListener('keydown', pressedKey, true);
    element?.addEventListener('contextmenu', noMenu);
    addEventListener('pointerdown', pressedElsewhere, true);
    addEventListener('resize', closeNow);
    return () => {
      removeEventListener('pointerdown', pressedElsewhere, true);
      removeEventListener('resize', closeNow);
      removeEventListener('keydown', pressedKey, true);
      const lost = document.activeElement === document.body || !document.activeElement;
      if (
        former instanceof HTMLElement &&
        (lost || box.current?.contains(document.activeElement))
      ) {
        former.focus({ preventScroll: true });
      }
    };
  }, [isMenu]);

  const { label, role } = props;
  const name = { role, 'aria-label': label };
  return createPortal(
    <div
      ref={box}
      {...name}
      className={`${styles.popover} ${props.className ?? ''}`}
      style={{ left: place.x, top: place.y }}
    >
      {props.children}
    </div>,
    document.body,
  );
}
