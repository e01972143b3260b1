/** Pan and zoom by pointer, wheel, pinch and keys, over the pure arithmetic of `viewport.ts`. */
import {
  type RefObject,
  useCallback,
  useEffect,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
} from 'react';
import type { Point, Rect } from './curve.ts';
import { fit, panBy, reveal, type Size, type Viewport, wheelFactor, zoomAt } from './viewport.ts';

export interface ViewControl {
  readonly view: Viewport;
  readonly size: Size;
  readonly fitAll: () => void;
  readonly zoomBy: (factor: number) => void;
  readonly zoomTo: (scale: number) => void;
  readonly show: (rect: Rect, scaleReadable?: number) => void;
  /** This place of the plane into the middle. */
  readonly centre: (place: Point) => void;
  /** A press became a drag: the click that ends it is none. */
  readonly wasDragged: () => boolean;
}

/** A hand is not quite still while it clicks. */
const dragMinPx = 4;
const keptBelowPx = 34;

/** @param bounds of all that there is; what was fitted stays fitted when they or the window change. */
export function useView(root: RefObject<HTMLElement | null>, bounds: Rect): ViewControl {
  const [size, setSize] = useState<Size>({ width: 0, height: 0 });
  const [chosen, setChosen] = useState<Viewport | undefined>();
  // The same object as long as it is the same view: whoever draws looks at that.
  const fitted = useMemo(() => fit(bounds, size, keptBelowPx), [bounds, size]);
  const view = chosen ?? fitted;
  const now = useRef({ view, size });
  now.current = { view, size };
  const dragged = useRef(false);

  const change = useCallback((to: (view: Viewport, size: Size) => Viewport) => {
    const next = to(now.current.view, now.current.size);
    // Several wheel events may come before the next render.
    now.current = { ...now.current, view: next };
    setChosen(next);
  }, []);

  useLayoutEffect(() => {
    const element = root.current;
    if (!element) return;
    const measure = () => {
      const { width, height } = element.getBoundingClientRect();
      setSize((former) =>
        former.width === width && former.height === height ? former : { width, height },
      );
    };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, [root]);

  useEffect(() => {
    const element = root.current;
    if (!element) return;
    return listen(element, change, dragged);
  }, [root, change]);

  return {
    view,
    size,
    fitAll: useCallback(() => setChosen(undefined), []),
    zoomBy: useCallback(
      (factor) =>
        change((view, { width, height }) => zoomAt(view, { x: width / 2, y: height / 2 }, factor)),
      [change],
    ),
    zoomTo: useCallback(
      (scale) =>
        change((view, { width, height }) =>
          zoomAt(view, { x: width / 2, y: height / 2 }, scale / view.scale),
        ),
      [change],
    ),
    show: useCallback(
      (rect, scaleReadable) => {
        const { view, size } = now.current;
        const next = reveal(view, rect, size, scaleReadable);
        if (next.x !== view.x || next.y !== view.y || next.scale !== view.scale) change(() => next);
      },
      [change],
    ),
    centre: useCallback(
      (place) =>
        change(({ scale }, { width, height }) => ({
          scale,
          x: width / 2 - place.x * scale,
          y: height / 2 - place.y * scale,
        })),
      [change],
    ),
    wasDragged: useCallback(() => dragged.current, []),
  };
}

type Change = (to: (view: Viewport, size: Size) => Viewport) => void;

function listen(element: HTMLElement, change: Change, dragged: RefObject<boolean>): () => void {
  const pointers = new Map<number, Point>();
  const place = (event: { readonly clientX: number; readonly clientY: number }): Point => {
    const box = element.getBoundingClientRect();
    return { x: event.clientX - box.x, y: event.clientY - box.y };
  };
  let pressed: Point | undefined;

  const down = (event: PointerEvent) => {
    dragged.current = false;
    // What is marked `data-still` is no part of the plane; what is `data-grip` moves by itself.
    const isHeld = (event.target as Element).closest('[data-still], [data-grip]');
    if (event.button !== 0 || isHeld) return;
    pressed = place(event);
    pointers.set(event.pointerId, pressed);
  };
  const move = (event: PointerEvent) => {
    const before = pointers.get(event.pointerId);
    if (!before || !pressed) return;
    const at = place(event);
    if (!dragged.current) {
      if (Math.hypot(at.x - pressed.x, at.y - pressed.y) < dragMinPx) return;
      dragged.current = true;
      element.setPointerCapture(event.pointerId);
      element.dataset.dragging = '';
    }
    const other = [...pointers].find(([id]) => id !== event.pointerId)?.[1];
    pointers.set(event.pointerId, at);
    if (other) {
      const factor = distance(at, other) / Math.max(1, distance(before, other));
      const middle = { x: (at.x + other.x) / 2, y: (at.y + other.y) / 2 };
      change((view) =>
        zoomAt(panBy(view, (at.x - before.x) / 2, (at.y - before.y) / 2), middle, factor),
      );
    } else {
      change((view) => panBy(view, at.x - before.x, at.y - before.y));
    }
  };
  const up = (event: PointerEvent) => {
    pointers.delete(event.pointerId);
    if (pointers.size > 0) return;
    pressed = undefined;
    delete element.dataset.dragging;
  };
  const wheel = (event: WheelEvent) => {
    if ((event.target as Element).closest('[data-still]')) return;
    event.preventDefault();
    if (event.shiftKey) {
      change((view) => panBy(view, -(event.deltaX || event.deltaY), 0));
      return;
    }
    const lines = event.deltaMode === 1 ? 20 : 1;
    const factor = wheelFactor(event.deltaY * lines, event.ctrlKey);
    change((view) => zoomAt(view, place(event), factor));
  };

  element.addEventListener('pointerdown', down);
  element.addEventListener('pointermove', move);
  element.addEventListener('pointerup', up);
  element.addEventListener('pointercancel', up);
  element.addEventListener('wheel', wheel, { passive: false });
  return () => {
    element.removeEventListener('pointerdown', down);
    element.removeEventListener('pointermove', move);
    element.removeEventListener('pointerup', up);
    element.removeEventListener('pointercancel', up);
    element.removeEventListener('wheel', wheel);
  };
}

function distance(a: Point, b: Point): number {
  return Math.hypot(a.x - b.x, a.y - b.y);
}
