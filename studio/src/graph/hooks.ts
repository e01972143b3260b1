/** What the graph asks of the browser around it. */
import { useEffect, useRef, useState } from 'react';
import { Drawing } from './drawing.ts';
import { layers } from './renderer.ts';

export function useDrawing(root: { readonly current: HTMLElement | null }) {
  const drawing = useRef<Drawing | undefined>(undefined);
  useEffect(() => {
    const find = (layer: string) =>
      root.current!.querySelector<HTMLCanvasElement>(`canvas[data-layer="${layer}"]`)!;
    const [lines, traffic, cards, figures] = layers.map(find) as [
      HTMLCanvasElement,
      HTMLCanvasElement,
      HTMLCanvasElement,
      HTMLCanvasElement,
    ];
    const made = new Drawing({ lines, traffic, cards, figures });
    drawing.current = made;
    return () => made.close();
  }, [root]);
  return drawing;
}

/** Keys of the graph work wherever nobody types and no menu or dialog has the focus. */
export function useKeysElsewhere(
  root: { readonly current: HTMLElement | null },
  pressed: (event: globalThis.KeyboardEvent) => void,
): void {
  useEffect(() => {
    const heard = (event: globalThis.KeyboardEvent) => {
      const { target } = event;
      if (event.defaultPrevented || !/^[-+=/f]$/.test(event.key)) return;
      if (!(target instanceof Element) || root.current?.contains(target)) return;
      if (target.closest('input, textarea, select, [contenteditable], [role=dialog], [role=menu]'))
        return;
      pressed(event);
    };
    document.addEventListener('keydown', heard);
    return () => document.removeEventListener('keydown', heard);
  });
}

export function useReducedMotion(): boolean {
  const [isReduced, setReduced] = useState(() => reduced().matches);
  useEffect(() => {
    const media = reduced();
    const changed = () => setReduced(media.matches);
    media.addEventListener('change', changed);
    return () => media.removeEventListener('change', changed);
  }, []);
  return isReduced;
}

function reduced(): MediaQueryList {
  return matchMedia('(prefers-reduced-motion: reduce)');
}
