/** All charts of what is looked at, under one another, with one cursor, one zoom and one playhead. */
import type { Frame, FrameLayout, RunEvent } from 'loadpath/studio';
import { useMemo, useState } from 'react';
import { faultBands } from '../parts/plot/bands.ts';
import type { Span } from '../parts/plot/live-plot.ts';
import { PlotView } from '../parts/plot/PlotView.tsx';
import { formatSecond } from '../parts/plot/plot.ts';
import type { Selection } from '../state/selection.ts';
import './charts.css';
import { framesWithin, groupFrames, mergedLatency, pointLength } from '../parts/plot/series.ts';
import { useSlowly } from '../parts/use-slowly.ts';
import { plotsFor, type Subject, subjectText } from './catalogue.ts';
import { HistogramView } from './HistogramView.tsx';
import { limitsOf, subjectOf } from './subject.ts';

export interface ChartsViewProps {
  readonly layout: FrameLayout;
  readonly frames: readonly Frame[];
  readonly events: readonly RunEvent[];
  readonly playheadUs: number;
  readonly selection: Selection | null;
  /** `DesignView.objectives`. */
  readonly objectives: Readonly<Record<string, string | number>>;
  readonly theme: string;
  readonly onSeek: (us: number) => void;
}

const everything: Subject = { type: 'everything' };
/** A run streams faster than anybody reads. */
const redrawMs = 100;

export function ChartsView(props: ChartsViewProps) {
  const { layout, events, playheadUs, selection, objectives, theme, onSeek } = props;
  const frames = useSlowly(props.frames, redrawMs);
  const selected = useMemo(() => subjectOf(selection), [selection]);
  const [endToEnd, setEndToEnd] = useState(false);
  const [log, setLog] = useState(true);
  const [zoom, setZoom] = useState<Span | null>(null);
  const subject = endToEnd || !selected ? everything : selected;
  const whole = wholeSpan(layout, frames);
  const span = zoom ?? whole;
  const limits = useMemo(() => limitsOf(objectives), [objectives]);
  const bands = useMemo(() => faultBands(events), [events]);
  const pointUs = pointLength(layout.frameUs, span.toUs - span.fromUs);
  const plots = useMemo(() => {
    return plotsFor(layout, groupFrames(frames, pointUs), subject, limits);
  }, [layout, frames, pointUs, subject, limits]);
  const histogram = useMemo(
    () => mergedLatency(zoom ? framesWithin(frames, zoom.fromUs, zoom.toUs) : frames),
    [frames, zoom],
  );
  if (frames.length === 0) {
    return <p className="charts-empty">Charts appear with the first frames of a run.</p>;
  }
  return (
    <div className="charts">
      <div className="charts-tools">
        <label>
          Show{' '}
          <select
            value={subject === everything ? 'everything' : 'selected'}
            onChange={(event) => setEndToEnd(event.currentTarget.value === 'everything')}
          >
            <option value="everything">{subjectText(everything)}</option>
            {selected && selected.type !== 'everything' ? (
              <option value="selected">{subjectText(selected)}</option>
            ) : null}
          </select>
        </label>
        <label>
          <input
            type="checkbox"
            checked={log}
            onChange={(event) => setLog(event.currentTarget.checked)}
          />{' '}
          log latency
        </label>
        <span className="charts-span">
          {zoom ? (
            <button
              type="button"
              title="Show the whole run again (Escape, or a double click)"
              onClick={() => setZoom(null)}
            >
              {formatSecond(round(zoom.fromUs))} to {formatSecond(round(zoom.toUs))} · show all
            </button>
          ) : (
            <span data-tip="Drag over a chart to look closer; points are then shorter">
              points of {formatSecond(pointUs / 1e6)}
            </span>
          )}
        </span>
      </div>
      <div className="charts-plots">
        {plots.map((plot) => (
          <PlotView
            key={plot.id}
            plot={plot}
            bands={bands}
            span={span}
            playheadUs={playheadUs}
            log={log && plot.unit === 'us'}
            theme={theme}
            cursorKey="charts"
            height={plot.id === 'latency' ? 180 : 130}
            onSeek={onSeek}
            onZoom={setZoom}
          />
        ))}
        {subject === everything ? (
          <HistogramView
            histogram={histogram}
            limits={limits}
            caption={zoom ? 'in the span shown' : 'of the whole run'}
          />
        ) : null}
      </div>
    </div>
  );
}

/** The planned length, so that a run that streams grows into the axis instead of stretching it. */
function wholeSpan(layout: FrameLayout, frames: readonly Frame[]): Span {
  const fromUs = frames[0]?.fromUs ?? 0;
  const seenUs = frames.at(-1)?.toUs ?? 1e6;
  return { fromUs, toUs: Math.max(seenUs, layout.forUs ?? 0) };
}

function round(us: number): number {
  return Math.round(us / 1e4) / 100;
}
