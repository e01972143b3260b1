/** What was drawn: cards that are moved, and lines that are drawn from the dot at a card's side. */
import type { JsonDesign, PaletteBlock, ProblemView } from 'loadpath/studio';
import { type KeyboardEvent, type PointerEvent, useEffect, useRef, useState } from 'react';
import { IconButton } from '../parts/Button.tsx';
import { Menu } from '../parts/Menu.tsx';
import { curveThrough, type Point, type Rect, union } from '../parts/plane/curve.ts';
import { useView } from '../parts/plane/use-view.ts';
import { toWorld } from '../parts/plane/viewport.ts';
import {
  blockOf,
  blocksOf,
  connect,
  mayCall,
  move,
  type Place,
  placesOf,
  usersName,
  type Wire,
  wiresOf,
} from './board.ts';
import styles from './Editor.module.css';
import { isAbout } from './EditorView.tsx';

export interface BoardAreaProps {
  readonly design: JsonDesign;
  readonly palette: readonly PaletteBlock[];
  readonly problems: readonly ProblemView[];
  readonly selected: string | null;
  readonly onSelect: (name: string | null) => void;
  readonly onEdit: (to: (design: JsonDesign) => JsonDesign, label?: string) => void;
  /** A drag is over: the next is a step of its own. */
  readonly onRest: () => void;
  readonly onAdd: (kind: string, at: Place) => void;
}

const card = { width: 168, height: 54 } as const;
const stepPx = 12;

export function BoardArea(props: BoardAreaProps) {
  const { design, selected, onSelect, onEdit } = props;
  const root = useRef<HTMLDivElement>(null);
  const places = placesOf(design);
  const names = [...places.keys()];
  // Fitted to what was there at first: a board that moves while one draws is none.
  const [bounds, setBounds] = useState(() => boundsOf(places));
  const { view, size, fitAll, wasDragged, show } = useView(root, bounds);
  const isSeen = useRef(selected);
  useEffect(() => {
    // What was just added, or chosen elsewhere, comes into sight.
    const at = selected === null ? undefined : places.get(selected);
    if (at && size.width > 0 && isSeen.current !== selected) show({ ...at, ...card });
    isSeen.current = selected;
  });
  const [line, setLine] = useState<{ readonly from: string; readonly to: Point } | null>(null);
  const [menu, setMenu] = useState<{ readonly from: string; readonly at: Point } | null>(null);
  const drag = useRef<{ name: string; grip: Point; isMoved: boolean } | null>(null);

  const worldOf = (event: { readonly clientX: number; readonly clientY: number }): Point => {
    const box = root.current!.getBoundingClientRect();
    return toWorld(view, { x: event.clientX - box.x, y: event.clientY - box.y });
  };
  const cardAt = (at: Point): string | undefined =>
    names.findLast((name) => {
      const { x, y } = places.get(name)!;
      return at.x >= x && at.x <= x + card.width && at.y >= y && at.y <= y + card.height;
    });
  const grabbed = (event: PointerEvent, name: string) => {
    if (event.button !== 0) return;
    event.currentTarget.setPointerCapture(event.pointerId);
    const at = worldOf(event);
    const { x, y } = places.get(name)!;
    drag.current = { name, grip: { x: at.x - x, y: at.y - y }, isMoved: false };
  };
  const dragged = (event: PointerEvent) => {
    const held = drag.current;
    if (!held) return;
    const at = worldOf(event);
    const to = { x: at.x - held.grip.x, y: at.y - held.grip.y };
    const from = places.get(held.name)!;
    if (!held.isMoved && Math.hypot(to.x - from.x, to.y - from.y) * view.scale < 4) return;
    held.isMoved = true;
    onEdit((former) => move(former, held.name, to), `move ${held.name}`);
  };
  const letGo = () => {
    if (drag.current?.isMoved) props.onRest();
    drag.current = null;
  };
  const lineEnded = (event: PointerEvent, from: string) => {
    const to = cardAt(worldOf(event));
    setLine(null);
    const box = event.currentTarget.getBoundingClientRect();
    const isPress =
      Math.hypot(event.clientX - box.x - box.width / 2, event.clientY - box.y - box.height / 2) <
      box.width;
    if (isPress) openMenu(from, event.currentTarget);
    else if (to && to !== from) onEdit((former) => connect(former, from, to));
  };
  const openMenu = (from: string, element: Element) => {
    const box = element.getBoundingClientRect();
    setMenu({ from, at: { x: box.right + 4, y: box.top } });
  };
  const pressed = (event: KeyboardEvent, name: string) => {
    const step = event.shiftKey ? stepPx * 4 : stepPx;
    const by = {
      ArrowLeft: { x: -step, y: 0 },
      ArrowRight: { x: step, y: 0 },
      ArrowUp: { x: 0, y: -step },
      ArrowDown: { x: 0, y: step },
    }[event.key];
    if (by) {
      const { x, y } = places.get(name)!;
      onEdit((former) => move(former, name, { x: x + by.x, y: y + by.y }), `move ${name}`);
    } else if (event.key === 'c' && !event.ctrlKey && !event.metaKey && canLead(name)) {
      openMenu(name, event.currentTarget);
    } else return;
    event.preventDefault();
    event.stopPropagation();
  };
  const canLead = (name: string) => name === usersName || mayCall(blockOf(design, name)!.kind);
  const portOf = (name: string): Point => {
    const { x, y } = places.get(name)!;
    return { x: x + card.width, y: y + card.height / 2 };
  };
  return (
    <div
      ref={root}
      className={styles.board}
      onClick={(event) => {
        if (event.target === event.currentTarget && !wasDragged()) onSelect(null);
      }}
      onDragOver={(event) => event.preventDefault()}
      onDrop={(event) => {
        const [, kind] = /^loadpath (\w+)$/.exec(event.dataTransfer.getData('text/plain')) ?? [];
        if (!kind) return;
        event.preventDefault();
        const { x, y } = worldOf(event);
        props.onAdd(kind, { x: x - card.width / 2, y: y - card.height / 2 });
      }}
    >
      <div
        className={styles.plane}
        style={{ transform: `translate(${view.x}px, ${view.y}px) scale(${view.scale})` }}
      >
        <svg className={styles.lines} aria-hidden="true">
          <defs>
            <marker
              id="arrow"
              viewBox="0 0 8 8"
              refX="8"
              refY="4"
              markerWidth="8"
              markerHeight="8"
              orient="auto"
              markerUnits="userSpaceOnUse"
            >
              <path d="M0 .5 8 4 0 7.5z" fill="var(--graph-path)" />
            </marker>
          </defs>
          {wiresOf(design).map((wire) => (
            <WireLine
              key={`${wire.from} ${wire.to} ${wire.path ?? ''}`}
              wire={wire}
              from={portOf(wire.from)}
              to={entryOf(places.get(wire.to)!)}
              isMarked={selected === wire.from || selected === wire.to}
            />
          ))}
          {line && <path className={styles.newLine} d={pathOf(portOf(line.from), line.to)} />}
        </svg>
        {names.map((name) => {
          const block = blockOf(design, name);
          const kind = block?.kind ?? usersName;
          const wrong = props.problems.filter(({ at }) => isAbout(at, name));
          const { x, y } = places.get(name)!;
          const shape = props.palette.find((each) => each.kind === kind)?.shape;
          return (
            <div
              key={name}
              className={styles.slot}
              style={{ left: x, top: y, ...card }}
              data-grip=""
            >
              <button
                type="button"
                className={styles.card}
                data-shape={shape}
                aria-pressed={selected === name}
                data-wrong={wrong.length > 0 || undefined}
                data-tip={wrong[0] && `${wrong[0].at}: ${wrong[0].what}`}
                onClick={() => onSelect(name)}
                onPointerDown={(event) => grabbed(event, name)}
                onPointerMove={dragged}
                onPointerUp={letGo}
                onPointerCancel={letGo}
                onKeyDown={(event) => pressed(event, name)}
              >
                <span className={styles.name}>{name}</span>
                <span className={styles.sub}>
                  {name === design.entry ? `${kind} · entry` : kind}
                </span>
                {wrong.length > 0 && (
                  <>
                    <span className={styles.badge} aria-hidden="true">
                      {wrong.length}
                    </span>
                    <span className="unseen">
                      wrong: {wrong.map(({ what }) => what).join('; ')}
                    </span>
                  </>
                )}
              </button>
              {canLead(name) && (
                <button
                  type="button"
                  className={styles.port}
                  aria-label={`Connect ${name} to …`}
                  aria-haspopup="menu"
                  data-tip="Drag to whom it calls, or press to choose"
                  data-key="C"
                  onPointerDown={(event) => {
                    event.currentTarget.setPointerCapture(event.pointerId);
                    setLine({ from: name, to: worldOf(event) });
                  }}
                  onPointerMove={(event) => {
                    if (line) setLine({ from: name, to: worldOf(event) });
                  }}
                  onPointerUp={(event) => lineEnded(event, name)}
                  onPointerCancel={() => setLine(null)}
                  onKeyDown={(event) => {
                    if (event.key === 'Enter' || event.key === ' ') {
                      event.preventDefault();
                      openMenu(name, event.currentTarget);
                    }
                  }}
                />
              )}
            </div>
          );
        })}
      </div>
      {names.length === 0 && size.width > 0 && (
        <div className={styles.empty}>
          <strong>An empty board</strong>
          Press a block above, or drag it here. Then draw lines from the dot at its right side.
        </div>
      )}
      <div className={styles.corner} data-still="">
        <IconButton
          small
          icon="fit"
          label="Show all"
          onPress={() => {
            setBounds(boundsOf(places));
            fitAll();
          }}
        />
      </div>
      {menu && (
        <Menu
          at={menu.at}
          label={`Connect ${menu.from} to`}
          items={targetsFor(design, menu.from).map((to) => ({
            label: to,
            onPress: () => onEdit((former) => connect(former, menu.from, to)),
          }))}
          onClose={() => setMenu(null)}
        />
      )}
    </div>
  );
}

function WireLine({
  wire,
  from,
  to,
  isMarked,
}: {
  readonly wire: Wire;
  readonly from: Point;
  readonly to: Point;
  readonly isMarked: boolean;
}) {
  return (
    <>
      <path
        className={styles.line}
        data-marked={isMarked || undefined}
        d={pathOf(from, to)}
        markerEnd="url(#arrow)"
      />
      {wire.path && (
        <text className={styles.wireLabel} x={to.x - 12} y={to.y - 6}>
          {wire.path}
        </text>
      )}
    </>
  );
}

/** At least as much as a small design takes, so that the first block is not a giant. */
function boundsOf(places: ReadonlyMap<string, Place>): Rect {
  const all = union([...places.values()].map((at) => ({ ...at, ...card })));
  const [width, height] = [Math.max(520, all.width), Math.max(260, all.height)];
  return { x: all.x - 20, y: all.y - 40, width: width + 40, height: height + 80 };
}

function entryOf({ x, y }: Place): Point {
  return { x, y: y + card.height / 2 };
}

function pathOf(from: Point, to: Point): string {
  const [x, y, ...rest] = curveThrough([from, to]).pieces;
  return `M${x} ${y} C${rest.join(' ')}`;
}

/** Whom it does not lead to yet. */
function targetsFor(design: JsonDesign, from: string): string[] {
  const wired = wiresOf(design).filter((wire) => wire.from === from);
  return blocksOf(design)
    .map(({ name }) => name)
    .filter((name) => name !== from && !wired.some(({ to }) => to === name));
}
