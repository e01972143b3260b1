/**
 * One tooltip for the whole page: whatever has `data-tip` is explained when one rests on it or
 * focuses it by key. Names for screen readers stand on the elements themselves.
 */
import { useEffect, useLayoutEffect, useRef, useState } from 'react';
import styles from './Tooltip.module.css';

interface Tip {
  readonly text: string;
  readonly key: string | undefined;
  readonly box: DOMRect;
}

const restMs = 450;
const gap = 6;

export function TooltipLayer() {
  const [tip, setTip] = useState<Tip | null>(null);
  const bubble = useRef<HTMLDivElement>(null);

  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const hide = () => {
      clearTimeout(timer);
      setTip(null);
    };
    const show = (event: Event) => {
      const element = (event.target as Element | null)?.closest?.<HTMLElement>('[data-tip]');
      hide();
      if (!element?.dataset.tip) return;
      if (event.type === 'focusin' && !element.matches(':focus-visible')) return;
      const { tip: text, key } = element.dataset;
      timer = setTimeout(() => {
        if (element.isConnected) setTip({ text, key, box: element.getBoundingClientRect() });
      }, restMs);
    };
    const shown = ['pointerover', 'focusin'] as const;
    const hidden = ['pointerdown', 'focusout', 'keydown', 'wheel', 'blur'] as const;
    for (const name of shown) document.addEventListener(name, show);
    for (const name of hidden) addEventListener(name, hide, { passive: true });
    return () => {
      hide();
      for (const name of shown) document.removeEventListener(name, show);
      for (const name of hidden) removeEventListener(name, hide);
    };
  }, []);

  useLayoutEffect(() => {
    const element = bubble.current;
    if (!tip || !element) return;
    const { offsetWidth: width, offsetHeight: height } = element;
    const below = tip.box.bottom + gap + height < innerHeight;
    const left = tip.box.left + tip.box.width / 2 - width / 2;
    element.style.left = `${Math.max(gap, Math.min(left, innerWidth - width - gap))}px`;
    element.style.top = `${below ? tip.box.bottom + gap : tip.box.top - gap - height}px`;
  }, [tip]);

  if (!tip) return null;
  return (
    <div ref={bubble} className={styles.tip} aria-hidden="true">
      {tip.text}
      {tip.key && <kbd className={styles.key}>{tip.key}</kbd>}
    </div>
  );
}
