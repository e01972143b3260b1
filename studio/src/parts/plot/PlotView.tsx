/** One chart: its name, a legend that tells values under the cursor, the drawing, and a table of the same. */
import { useEffect, useMemo, useRef, useState } from 'react';
import 'uplot/dist/uPlot.min.css';
import './plot.css';
import { inReach, LivePlot, type Span } from './live-plot.ts';
import { type Band, type Curve, clipped, formatSecond, formatValue, type Plot } from './plot.ts';
import { type PlotFormat, savePlot } from './save.ts';

export interface PlotViewProps {
  readonly plot: Plot;
  readonly bands: readonly Band[];
  readonly span: Span;
  readonly playheadUs: number;
  readonly log: boolean;
  /** Colours are read anew when it changes. */
  readonly theme: string;
  readonly cursorKey: string;
  readonly height?: number;
  readonly onSeek: (us: number) => void;
  readonly onZoom: (span: Span | null) => void;
}

export function PlotView(props: PlotViewProps) {
  const { plot, bands, span, playheadUs, log, theme, cursorKey, height = 150 } = props;
  const place = useRef<HTMLDivElement>(null);
  const live = useRef<LivePlot | null>(null);
  const values = useRef(new Map<string, HTMLElement>());
  const cursor = useRef<number | null>(null);
  const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set());
  const [tabled, setTabled] = useState(false);
  const seen = useSeen(place);
  const callbacks = useRef(props);
  callbacks.current = props;

  // Another set of curves, scale or theme is another drawing; everything else is new data for it.
  const structure = `${theme} ${log} ${plot.stacked} ${plot.unit} ${plot.curves.map((curve) => `${curve.name}${curve.low ? '±' : ''}`).join('|')}`;
  const latest = useRef({ plot, bands, span, hidden });
  latest.current = { plot, bands, span, hidden };

  const tell = () =>
    tellValues(values.current, plot, cursor.current ?? nearestIndex(plot.x, playheadUs / 1e6));
  const tellLatest = useRef(tell);
  tellLatest.current = tell;
  useEffect(() => {
    const element = place.current;
    if (!element || !seen) return;
    const drawing = new LivePlot(element, latest.current, {
      log,
      height,
      cursorKey,
      onSeek: (us) => callbacks.current.onSeek(us),
      onZoom: (zoomed) => callbacks.current.onZoom(zoomed),
      onCursor: (index) => {
        cursor.current = index;
        tellLatest.current();
      },
    });
    drawing.setPlayhead(callbacks.current.playheadUs);
    live.current = drawing;
    return () => {
      live.current = null;
      drawing.destroy();
    };
  }, [structure, seen, height, cursorKey]);

  useEffect(() => {
    live.current?.show({ plot, bands, span, hidden });
  }, [plot, bands, span, hidden]);

  useEffect(() => {
    live.current?.setPlayhead(playheadUs);
    tellLatest.current();
  });

  const toggle = (name: string) =>
    setHidden((before) => {
      const after = new Set(before);
      if (!after.delete(name)) after.add(name);
      return after;
    });

  return (
    <figure className="plot">
      <figcaption className="plot-head">
        <h3 title={plot.caption}>{plot.title}</h3>
        {plot.caption ? <span className="plot-caption">{plot.caption}</span> : null}
        <span className="plot-save">
          <button
            type="button"
            aria-expanded={tabled}
            aria-label={`${plot.title} as a table`}
            title="Show the same values as a table"
            onClick={() => setTabled(!tabled)}
          >
            Table
          </button>
          <SaveButtons
            plot={clipped(plot, span.fromUs / 1e6, span.toUs / 1e6)}
            bands={bands}
            log={log}
          />
        </span>
      </figcaption>
      <ul className="plot-legend">
        {plot.curves.map((curve) => (
          <li key={curve.name}>
            <button
              type="button"
              aria-pressed={!hidden.has(curve.name)}
              title={`${hidden.has(curve.name) ? 'Show' : 'Hide'} ${curve.name}`}
              onClick={() => toggle(curve.name)}
            >
              <Swatch curve={curve} />
              <span className="plot-legend-name">{curve.name}</span>
              <span
                className="plot-legend-value"
                ref={(element) => {
                  if (element) values.current.set(curve.name, element);
                  else values.current.delete(curve.name);
                }}
              />
            </button>
          </li>
        ))}
        <LimitsOutside plot={plot} log={log} />
      </ul>
      <PlotKeys plot={plot} live={live} cursor={cursor} onSeek={props.onSeek} onZoom={props.onZoom}>
        <div ref={place} className="plot-place" style={{ height }} />
      </PlotKeys>
      {tabled ? <PlotTable plot={plot} formatX={formatSecond} xName="time" /> : null}
    </figure>
  );
}

/** Arrows move the cursor by points, Enter seeks there, Escape shows all again. */
function PlotKeys(props: {
  readonly plot: Plot;
  readonly live: { readonly current: LivePlot | null };
  readonly cursor: { readonly current: number | null };
  readonly onSeek: (us: number) => void;
  readonly onZoom: (span: Span | null) => void;
  readonly children: React.ReactNode;
}) {
  const { plot, live, cursor, onSeek, onZoom } = props;
  const [told, setTold] = useState('');
  const onKeyDown = (event: React.KeyboardEvent) => {
    const at = cursor.current ?? 0;
    const steps: Readonly<Record<string, number>> = {
      ArrowLeft: -1,
      ArrowRight: 1,
      PageUp: -10,
      PageDown: 10,
    };
    const step = steps[event.key];
    if (step !== undefined) {
      const index = Math.min(plot.x.length - 1, Math.max(0, at + step));
      live.current?.setCursor(index);
      setTold(spokenValues(plot, index));
    } else if (event.key === 'Enter' && plot.x[at] !== undefined) onSeek(plot.x[at] * 1e6);
    else if (event.key === 'Escape') onZoom(null);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div
      className="plot-keys"
      role="application"
      tabIndex={0}
      aria-label={`${plot.title}, chart. Arrow keys read values, Enter moves the playhead there, Escape shows all again.`}
      onKeyDown={onKeyDown}
    >
      {props.children}
      <output className="unseen">{told}</output>
    </div>
  );
}

export function PlotTable({
  plot,
  formatX,
  xName,
}: {
  readonly plot: Plot;
  readonly formatX: (x: number) => string;
  readonly xName: string;
}) {
  return (
    <section className="plot-table" aria-label={`${plot.title} as a table`} tabIndex={0}>
      <table>
        <caption className="unseen">{plot.title}</caption>
        <thead>
          <tr>
            <th scope="col">{xName}</th>
            {plot.curves.map((curve) => (
              <th scope="col" key={curve.name}>
                {curve.name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {plot.x.map((x, row) => (
            <tr key={x}>
              <th scope="row">{formatX(x)}</th>
              {plot.curves.map((curve) => (
                <td key={curve.name}>{formatValue(plot.unit, curve.values[row])}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

export function SaveButtons({
  plot,
  bands,
  log,
  xName = 'seconds',
  formatX,
}: {
  readonly plot: Plot;
  readonly bands: readonly Band[];
  readonly log: boolean;
  readonly xName?: string;
  readonly formatX?: (x: number) => string;
}) {
  const formats: readonly PlotFormat[] = ['png', 'svg', 'csv'];
  return (
    <>
      {formats.map((format) => (
        <button
          type="button"
          key={format}
          title={`Save this chart as ${format.toUpperCase()}`}
          aria-label={`Save ${plot.title} as ${format.toUpperCase()}`}
          onClick={() => void savePlot(plot, format, { bands, log, xName, formatX })}
        >
          {format.toUpperCase()}
        </button>
      ))}
    </>
  );
}

export function Swatch({ curve }: { readonly curve: Pick<Curve, 'ink' | 'dash'> }) {
  return (
    <svg width="18" height="8" aria-hidden="true">
      <path
        d="M1 4H17"
        stroke={`var(--${curve.ink})`}
        strokeWidth="2.5"
        strokeDasharray={curve.dash.join(' ') || undefined}
      />
    </svg>
  );
}

/** A target that is too far off to be drawn is told in words. */
function LimitsOutside({ plot, log }: { readonly plot: Plot; readonly log: boolean }) {
  if (log) return null;
  const greatest = Math.max(
    0,
    ...plot.curves.flatMap((curve) => curve.values.map((value) => value ?? 0)),
  );
  return plot.limits
    .filter((limit) => limit.value > greatest && !inReach(limit.value, greatest))
    .map((limit) => (
      <li key={limit.name} className="plot-limit">
        {limit.name} {formatValue(plot.unit, limit.value)}, above this chart
      </li>
    ));
}

function tellValues(elements: ReadonlyMap<string, HTMLElement>, plot: Plot, index: number): void {
  for (const curve of plot.curves) {
    const element = elements.get(curve.name);
    const text = formatValue(plot.unit, curve.values[index]);
    if (element && element.textContent !== text) element.textContent = text;
  }
}

function spokenValues(plot: Plot, index: number): string {
  const values = plot.curves.map(
    (curve) => `${curve.name} ${formatValue(plot.unit, curve.values[index])}`,
  );
  return `${formatSecond(plot.x[index] ?? 0)}: ${values.join(', ')}`;
}

/** Points stand in the middle of what they tell of: an instant between two belongs to what it begins. */
function nearestIndex(xs: readonly number[], x: number): number {
  let low = 0;
  let high = xs.length - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (xs[middle]! <= x) low = middle;
    else high = middle - 1;
  }
  const after = xs[low + 1];
  // Half a microsecond more than equal: seconds have no exact halves.
  return after !== undefined && after - x <= x - xs[low]! + 5e-7 ? low + 1 : low;
}

/** Whether an element is on the screen, or nearly: what is not draws nothing. */
function useSeen(place: { readonly current: HTMLElement | null }): boolean {
  const [seen, setSeen] = useState(false);
  const observer = useMemo(
    () =>
      new IntersectionObserver((entries) => setSeen(entries.at(-1)?.isIntersecting ?? false), {
        rootMargin: '100px',
      }),
    [],
  );
  useEffect(() => {
    if (place.current) observer.observe(place.current);
    return () => observer.disconnect();
  }, [observer, place]);
  return seen;
}
