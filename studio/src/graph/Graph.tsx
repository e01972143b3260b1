/**
 * The graph of a design with the traffic of one instant on it: canvases below, a layer of buttons
 * over them, and around it search, legend, zones and a map.
 */

import type { FrameLayout, PaletteBlock, StructuralView } from 'loadpath/studio';
import {
  type KeyboardEvent,
  type MouseEvent,
  useCallback,
  useEffect,
  useMemo,
  useRef,
  useState,
} from 'react';
import { flushSync } from 'react-dom';
import { contains, type Point, type Rect } from '../parts/plane/curve.ts';
import { useView } from '../parts/plane/use-view.ts';
import { toScreen, toWorld, type Viewport } from '../parts/plane/viewport.ts';
import type { Selection } from '../state/selection.ts';
import type { Theme } from '../theme/theme.ts';
import { Bar } from './Bar.tsx';
import { chevronOf } from './card.ts';
import { readColours } from './colours.ts';
import { detailsOf } from './details.ts';
import styles from './Graph.module.css';
import { pathAt } from './hit.ts';
import { useDrawing, useKeysElsewhere, useReducedMotion } from './hooks.ts';
import { Legend } from './Legend.tsx';
import { layOut } from './layout.ts';
import { Minimap } from './Minimap.tsx';
import { markedBy, withZones } from './marks.ts';
import type { Recent } from './recent.ts';
import { layers } from './renderer.ts';
import { Search } from './Search.tsx';
import { figuresOf, namedBy, sceneOf, withArrivals } from './scene.ts';
import { Targets, useNames } from './Targets.tsx';
import { Tip } from './Tip.tsx';
import { isArrow, neighbour, type Target, targetsOf } from './targets.ts';

export interface GraphProps {
  readonly design: StructuralView;
  readonly palette: readonly PaletteBlock[];
  readonly layout: FrameLayout | null | undefined;
  readonly recent: Recent;
  /** Sentences of the faults in force now. */
  readonly activeFaults: readonly string[];
  readonly selection: Selection | null;
  readonly theme: Theme;
  readonly playing: boolean;
  /** Corners from a drawing board. */
  readonly positions?: Readonly<Record<string, Point>> | undefined;
  readonly onSelect: (selection: Selection | null) => void;
  /** A menu is wanted for this, here on the screen. */
  readonly onContext: (target: Selection, at: Point) => void;
}

const nothing: ReadonlySet<string> = new Set();

export function Graph(props: GraphProps) {
  const { palette, selection, onSelect, onContext } = props;
  const design = useMemo(
    () => withArrivals(props.design, props.layout),
    [props.design, props.layout],
  );
  const root = useRef<HTMLElement>(null);
  const buttons = useRef(new Map<string, HTMLButtonElement>());
  const [open, setOpen] = useState<ReadonlySet<string>>(nothing);
  const [hovered, setHovered] = useState<Hovered | undefined>();
  const [tabKey, setTabKey] = useState<string | undefined>();
  const [panel, setPanel] = useState<'search' | 'legend' | undefined>();

  const layout = useMemo(
    () => layOut(design, { open, positions: props.positions }),
    [design, open, props.positions],
  );
  const scene = useMemo(() => sceneOf(design, props.layout ?? undefined), [design, props.layout]);
  const { frames } = props.recent;
  // What is drawn reckons them where it is drawn; here they are wanted later, or not at all.
  const figures = useMemo(() => once(() => figuresOf(scene, frames)), [scene, frames]);
  const targets = useMemo(
    () => targetsOf(layout, design.blocks.find(({ kind }) => kind === 'users')?.name),
    [layout, design],
  );
  useNames(targets, design, figures, buttons);
  const control = useView(root, layout.bounds);
  const { view, size, show } = control;

  // The style sheet has changed by the time the theme has.
  const colours = useMemo(readColours, [props.theme]);
  const paletteByKind = useMemo(() => new Map(palette.map((each) => [each.kind, each])), [palette]);
  const views = useMemo(() => new Map(design.blocks.map((each) => [each.name, each])), [design]);
  // A new list comes with every frame, seldom with other faults.
  const faults = props.activeFaults.join('\n');
  const named = useMemo(() => withZones(namedBy(faults.split('\n')), design), [faults, design]);
  const marked = useMemo(() => markedBy(selection, design), [selection, design]);
  const isStill = useReducedMotion();
  const drawing = useDrawing(root);
  useEffect(() => {
    if (size.width === 0) return;
    drawing.current?.show({
      layout,
      views,
      palette: paletteByKind,
      scene,
      frames,
      colours,
      view,
      size,
      dpr: devicePixelRatio || 1,
      ...marked,
      hoveredPath: hovered?.selection.type === 'path' ? hovered.selection.id : undefined,
      named,
      isMoving: props.playing,
      isStill,
    });
  });

  const toggle = useCallback((name: string) => {
    setOpen((former) => {
      const next = new Set(former);
      if (!next.delete(name)) next.add(name);
      return next;
    });
  }, []);
  const focus = useCallback(
    (target: Target) => {
      setTabKey(target.key);
      show(target.rect);
      buttons.current.get(target.key)?.focus({ preventScroll: true });
    },
    [show],
  );
  const goTo = (wanted: Selection) => {
    // The search box goes at once, so that the focus is where the next key expects it.
    flushSync(() => {
      setPanel(undefined);
      onSelect(wanted);
    });
    const target = targets.find(
      ({ selection: { type, id } }) => type === wanted.type && id === wanted.id,
    );
    if (!target) return;
    show(target.rect, 0.8);
    setTabKey(target.key);
    buttons.current.get(target.key)?.focus({ preventScroll: true });
  };
  const targetOf = (event: { readonly target: EventTarget | null }) => {
    const key = (event.target as Element | null)?.closest<HTMLElement>('[data-target]')?.dataset
      .target;
    return key === undefined ? undefined : targets.find((target) => target.key === key);
  };
  const lineAt = (event: { readonly clientX: number; readonly clientY: number }) => {
    const box = root.current!.getBoundingClientRect();
    const at = toWorld(view, { x: event.clientX - box.x, y: event.clientY - box.y });
    return pathAt(layout, at.x, at.y, 7 / view.scale);
  };

  const isOnChevron = (target: Target, event: MouseEvent) => {
    const frame = root.current!.getBoundingClientRect();
    const at = toWorld(view, { x: event.clientX - frame.x, y: event.clientY - frame.y });
    const many = (views.get(target.block)?.nodes.length ?? 0) > 1;
    const box = layout.blocks.find(({ name }) => name === target.block);
    return many && box !== undefined && contains(chevronOf(box), at.x, at.y, 3);
  };

  const pressed = (event: KeyboardEvent | globalThis.KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const here = targetOf(event);
    if (here && isArrow(event.key)) {
      event.preventDefault();
      const next = neighbour(targets, layout, here.key, event.key);
      if (next) focus(next);
      return;
    }
    if (event.key === 'o' && here) toggle(here.block);
    else if (event.key === '+' || event.key === '=') control.zoomBy(1.25);
    else if (event.key === '-') control.zoomBy(0.8);
    else if (event.key === '0') control.zoomTo(1);
    else if (event.key === 'f') control.fitAll();
    else if (event.key === '/') setPanel('search');
    else if (event.key === 'Escape' && (panel || selection)) {
      if (panel) setPanel(undefined);
      else onSelect(null);
    } else return;
    event.preventDefault();
    // The page has meanings of its own for some of these.
    event.stopPropagation();
  };
  useKeysElsewhere(root, pressed);
  const clicked = (event: MouseEvent) => {
    if (control.wasDragged() || (event.target as Element).closest('[data-still]')) return;
    const target = targetOf(event);
    const line = target ? undefined : lineAt(event);
    if (target) setTabKey(target.key);
    if (target?.key.startsWith('block ') && isOnChevron(target, event)) {
      toggle(target.block);
      return;
    }
    onSelect(target?.selection ?? (line === undefined ? null : { type: 'path', id: line }));
  };
  const asked = (event: MouseEvent) => {
    if ((event.target as Element).closest('[data-still]')) return;
    event.preventDefault();
    const target = targetOf(event);
    const line = target ? undefined : lineAt(event);
    const wanted = target?.selection ?? (line === undefined ? undefined : pathOf(line));
    if (!wanted) return;
    if (target) setTabKey(target.key);
    setHovered(undefined);
    onContext(wanted, placeOfMenu(event));
  };
  const moved = (event: {
    target: EventTarget;
    clientX: number;
    clientY: number;
    buttons: number;
  }) => {
    if (event.buttons !== 0 || (event.target as Element).closest('[data-still]')) {
      setHovered(undefined);
      return;
    }
    const target = targetOf(event);
    const line = target ? undefined : lineAt(event);
    const wanted = target?.selection ?? (line === undefined ? undefined : pathOf(line));
    setHovered((former) =>
      wanted
        ? former && former.selection.id === wanted.id && former.selection.type === wanted.type
          ? former
          : { selection: wanted, at: placeOfTip(event, root.current!, target) }
        : undefined,
    );
  };
  const focused = (event: { readonly target: Element }) => {
    const target = targetOf(event);
    if (!target || !event.target.matches(':focus-visible')) return;
    setTabKey(target.key);
    show(target.rect);
    setHovered({ selection: target.selection, beside: target.rect });
  };

  const details = hovered && detailsOf(hovered.selection, design, figures());
  const isAllSeen =
    layout.bounds.x * view.scale + view.x >= -1 &&
    layout.bounds.y * view.scale + view.y >= -1 &&
    (layout.bounds.x + layout.bounds.width) * view.scale + view.x <= size.width + 1 &&
    (layout.bounds.y + layout.bounds.height) * view.scale + view.y <= size.height + 1;
  return (
    <section
      ref={root}
      className={styles.graph}
      aria-label={`Graph of ${design.design}`}
      onKeyDown={pressed}
      onClick={clicked}
      onDoubleClick={(event) => {
        const target = targetOf(event);
        if (target && target.selection.type !== 'path') toggle(target.block);
      }}
      onContextMenu={asked}
      onPointerMove={moved}
      onPointerLeave={() => setHovered(undefined)}
      onFocus={focused}
      onBlur={() => setHovered(undefined)}
    >
      <div aria-hidden="true">
        {layers.map((layer) => (
          <canvas key={layer} data-layer={layer} className={styles.canvas} />
        ))}
      </div>
      <div
        className={styles.plane}
        style={{ transform: `translate(${view.x}px, ${view.y}px) scale(${view.scale})` }}
      >
        <Targets
          targets={targets}
          selection={selection}
          open={open}
          tabKey={tabKey ?? targets[0]?.key}
          buttons={buttons}
        />
      </div>
      {design.blocks.length === 0 && <p className={styles.empty}>There is no block yet.</p>}
      {panel === 'search' && (
        <div data-still="">
          <Search design={design} onChoose={goTo} onClose={() => setPanel(undefined)} />
        </div>
      )}
      {panel === 'legend' && (
        <div data-still="">
          <Legend colours={colours} />
        </div>
      )}
      {details && !panel && <Tip details={details} at={tipAt(hovered, view)} size={size} />}
      <Bar
        design={design}
        view={view}
        control={control}
        selection={selection}
        panel={panel}
        onPanel={setPanel}
        allOpen={open.size > 0}
        onOpenAll={() =>
          setOpen(open.size > 0 ? nothing : new Set(design.blocks.map(({ name }) => name)))
        }
        onSelect={onSelect}
        onContext={onContext}
      />
      {!isAllSeen && (
        <div data-still="" className={styles.map}>
          <Minimap
            layout={layout}
            figures={figures()}
            colours={colours}
            view={view}
            size={size}
            onGo={control.centre}
          />
        </div>
      )}
    </section>
  );
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

/** By the pointer, at a point within the graph; or by the focus, beside a part of the plane. */
type Hovered = { readonly selection: Selection } & (
  | { readonly at: Point }
  | { readonly beside: Rect }
);

function tipAt(hovered: Hovered, view: Viewport): Point {
  if ('at' in hovered) return hovered.at;
  const { x, y, width } = hovered.beside;
  const corner = toScreen(view, { x: x + width, y });
  return { x: corner.x + 10, y: corner.y };
}

function pathOf(id: string): Selection {
  return { type: 'path', id };
}

/** Called up by key, a menu opens at the thing; by mouse where it points. */
function placeOfMenu(event: MouseEvent): Point {
  if (event.button === 2) return { x: event.clientX, y: event.clientY };
  const box = (event.target as Element).getBoundingClientRect();
  return { x: box.x + Math.min(24, box.width / 2), y: box.bottom };
}

function placeOfTip(
  event: { readonly clientX: number; readonly clientY: number },
  root: HTMLElement,
  target: Target | undefined,
): Point {
  const box = root.getBoundingClientRect();
  const beside = target ? 14 : 12;
  return { x: event.clientX - box.x + beside, y: event.clientY - box.y + beside };
}
