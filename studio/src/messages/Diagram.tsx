/** The drawing, with its lanes, its keys, the message in hand, and the same as a table. */
import type { MessageRow, MessageWindow, RunEvent } from 'loadpath/studio';
import { useEffect, useMemo, useRef, useState } from 'react';
import { Button } from '../parts/Button.tsx';
import { Columns } from '../parts/Columns.tsx';
import { copyText } from '../parts/Copy.tsx';
import { faultBands } from '../parts/plot/bands.ts';
import { coloursNow, save } from '../parts/plot/save.ts';
import { useWidth } from '../parts/plot/use-width.ts';
import styles from './Diagram.module.css';
import {
  fateWords,
  heightOf,
  inksOf,
  instantText,
  laneHeight,
  lanesOf,
  laneTop,
  lineAt,
  linesOf,
  messageInWords,
  outagesOf,
  panned,
  type TimeSpan,
  usAt,
  zoomed,
} from './diagram.ts';
import { draw } from './draw.ts';
import { diagramMermaid, diagramSvg } from './export.ts';

export interface DiagramProps {
  readonly window: MessageWindow;
  readonly nodes: readonly string[];
  readonly events: readonly RunEvent[];
  readonly playheadUs: number;
  readonly theme: string;
  readonly onSeek: (us: number) => void;
}

const labelWidth = 92;
const zoomStep = 0.7;
/** Less than this between press and release is a click. */
const dragMinPx = 4;

export function Diagram({ window, nodes, events, playheadUs, theme, onSeek }: DiagramProps) {
  const whole: TimeSpan = window;
  const [span, setSpan] = useState<TimeSpan>({ fromUs: window.fromUs, toUs: window.toUs });
  const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set());
  const [chosen, setChosen] = useState<MessageRow | null>(null);
  const [tabled, setTabled] = useState(false);
  const [place, placeWidth] = useWidth();
  const canvas = useRef<HTMLCanvasElement>(null);
  const width = Math.max(120, placeWidth - labelWidth);
  const allLanes = useMemo(() => lanesOf(window.messages, nodes), [window, nodes]);
  const lanes = useMemo(() => allLanes.filter((lane) => !hidden.has(lane)), [allLanes, hidden]);
  const frame = useMemo(
    () => ({ width, height: heightOf(lanes.length), span, lanes }),
    [width, span, lanes],
  );
  const lines = useMemo(() => linesOf(window.messages, frame), [window, frame]);
  const inks = useMemo(() => inksOf(window.messages), [window]);
  const bands = useMemo(() => faultBands(events), [events]);
  const outages = useMemo(() => outagesOf(events), [events]);
  const inHand = chosen && lines.find((line) => line.message === chosen);
  useEffect(() => {
    if (canvas.current)
      draw(canvas.current, {
        frame,
        lines,
        inks,
        outages,
        bands,
        playheadUs,
        chosen: inHand ?? undefined,
      });
  }, [frame, lines, inks, outages, bands, playheadUs, inHand, theme]);

  const zoom = (factor: number, atUs = (span.fromUs + span.toUs) / 2) =>
    setSpan(zoomed(span, whole, atUs, factor));
  const pan = (share: number) => setSpan(panned(span, whole, share * (span.toUs - span.fromUs)));
  useWheel(canvas, (event, x) => {
    if (event.ctrlKey || event.metaKey || Math.abs(event.deltaY) > Math.abs(event.deltaX)) {
      zoom(event.deltaY > 0 ? 1 / zoomStep : zoomStep, usAt(frame, x));
    } else pan(event.deltaX / width);
  });
  const pointer = usePointer({
    onMove: (x, y) => setChosen(lineAt(lines, x, y)?.message ?? chosen),
    onDrag: (byPx) => pan(-byPx / width),
    onClick: (x, y) => {
      const line = lineAt(lines, x, y);
      if (line) setChosen(line.message);
      else onSeek(Math.round(usAt(frame, x)));
    },
  });

  const step = (direction: 1 | -1) => {
    const inOrder = lines.map((line) => line.message);
    const here = chosen ? inOrder.indexOf(chosen) : -1;
    const next = inOrder[here === -1 && direction === -1 ? inOrder.length - 1 : here + direction];
    if (next) setChosen(next);
  };
  const onKeyDown = (event: React.KeyboardEvent) => {
    switch (event.key) {
      case 'ArrowRight':
        step(1);
        break;
      case 'ArrowLeft':
        step(-1);
        break;
      case '+':
      case '=':
        zoom(zoomStep, chosen?.sentAt);
        break;
      case '-':
        zoom(1 / zoomStep, chosen?.sentAt);
        break;
      case 'PageDown':
        pan(0.5);
        break;
      case 'PageUp':
        pan(-0.5);
        break;
      case 'Enter':
        if (chosen) onSeek(chosen.sentAt);
        break;
      case 'Escape':
        setSpan(whole);
        break;
      default:
        return;
    }
    event.preventDefault();
    event.stopPropagation();
  };

  const saveSvg = () => {
    const { inkOf, colours } = coloursNow();
    const svg = diagramSvg(frame, lines, inks, inkOf, colours);
    save('messages.svg', new Blob([svg], { type: 'image/svg+xml' }));
  };

  return (
    <div className={styles.diagram}>
      <div className={styles.tools}>
        <ul className={styles.legend} aria-label="Colours: the block that gets the message">
          {[...inks].map(([block, ink]) => (
            <li key={block}>
              <span style={{ background: `var(--${ink})` }} />
              to {block}
            </li>
          ))}
          <li>
            <span className={styles.lost}>✕</span>
            never arrived
          </li>
          <li>
            <span className={styles.late} />
            late
          </li>
        </ul>
        <span className={styles.buttons}>
          <Button small tone="quiet" expanded={tabled} onPress={() => setTabled(!tabled)}>
            Table
          </Button>
          <Button small tone="quiet" tip="Save what is seen as SVG" onPress={saveSvg}>
            SVG
          </Button>
          <Button
            small
            tone="quiet"
            tip="Copy as a Mermaid sequence diagram"
            onPress={() =>
              void copyText(
                diagramMermaid(
                  lines.map((line) => line.message),
                  lanes,
                ),
              )
            }
          >
            Mermaid
          </Button>
        </span>
      </div>
      <div ref={place} className={styles.place} style={{ height: frame.height }}>
        <div className={styles.lanes} style={{ width: labelWidth, paddingTop: laneTop }}>
          {lanes.map((lane) => (
            <button
              key={lane}
              type="button"
              style={{ height: laneHeight }}
              data-tip={`Hide the lane of ${lane}`}
              aria-label={`${lane}: hide its lane`}
              onClick={() => setHidden(new Set([...hidden, lane]))}
            >
              {lane}
            </button>
          ))}
        </div>
        <div
          className={styles.keys}
          role="application"
          tabIndex={0}
          aria-label="Space-time diagram. Left and right go from message to message, plus and minus zoom, Page Up and Page Down move in time, Enter moves the playhead there, Escape shows all. A table of the same can be opened."
          onKeyDown={onKeyDown}
        >
          <canvas ref={canvas} style={{ width, height: frame.height }} {...pointer} />
        </div>
      </div>
      {hidden.size > 0 && (
        <Button small tone="quiet" onPress={() => setHidden(new Set())}>
          Show {hidden.size} hidden again
        </Button>
      )}
      <output className={styles.hand}>
        {chosen
          ? `${instantText(chosen.sentAt, 1_000)}  ${messageInWords(chosen)}`
          : 'Point at a message to read it; scroll to zoom, drag to move.'}
      </output>
      {tabled && <MessageTable messages={lines.map((line) => line.message)} />}
    </div>
  );
}

/** What a table can hold and a reader bear. */
const rowsMax = 500;

function MessageTable({ messages }: { readonly messages: readonly MessageRow[] }) {
  return (
    <section className={styles.scroll} aria-label="Messages as a table" tabIndex={0}>
      <table>
        <caption className="unseen">Messages in the part of the window that is shown</caption>
        <Columns of={['sent', 'from', 'to', 'what', 'arrived']} />
        <tbody>
          {messages.slice(0, rowsMax).map((message, i) => (
            <tr key={i}>
              <td>{instantText(message.sentAt, 1_000)}</td>
              <td>{message.from}</td>
              <td>{message.to}</td>
              <td>{message.what}</td>
              <td>
                {message.arrivedAt === null
                  ? fateWords[message.fate]
                  : instantText(message.arrivedAt, 1_000)}
                {message.late ? ', late' : ''}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {messages.length > rowsMax && <p>The first {rowsMax} of them: zoom in for the others.</p>}
    </section>
  );
}

/** React listens to the wheel passively, where the page could not be kept from scrolling. */
function useWheel(
  place: { readonly current: HTMLElement | null },
  onWheel: (event: WheelEvent, x: number) => void,
): void {
  const latest = useRef(onWheel);
  latest.current = onWheel;
  useEffect(() => {
    const element = place.current;
    if (!element) return;
    const listen = (event: WheelEvent) => {
      event.preventDefault();
      latest.current(event, event.clientX - element.getBoundingClientRect().left);
    };
    element.addEventListener('wheel', listen, { passive: false });
    return () => element.removeEventListener('wheel', listen);
  }, [place]);
}

interface PointerDoing {
  readonly onMove: (x: number, y: number) => void;
  readonly onDrag: (byPx: number) => void;
  readonly onClick: (x: number, y: number) => void;
}

function usePointer({ onMove, onDrag, onClick }: PointerDoing) {
  const pressed = useRef<{ x: number; isDrag: boolean } | null>(null);
  const inside = (event: React.PointerEvent) => {
    const box = event.currentTarget.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top] as const;
  };
  return {
    onPointerDown: (event: React.PointerEvent) => {
      pressed.current = { x: event.clientX, isDrag: false };
      event.currentTarget.setPointerCapture(event.pointerId);
    },
    onPointerMove: (event: React.PointerEvent) => {
      const press = pressed.current;
      if (!press) return onMove(...inside(event));
      const by = event.clientX - press.x;
      if (!press.isDrag && Math.abs(by) < dragMinPx) return;
      pressed.current = { x: event.clientX, isDrag: true };
      onDrag(by);
    },
    onPointerUp: (event: React.PointerEvent) => {
      if (pressed.current && !pressed.current.isDrag) onClick(...inside(event));
      pressed.current = null;
    },
    onPointerCancel: () => {
      pressed.current = null;
    },
  };
}
