/**
 * The run from left to right: faults as bands, what happened as signs, throughput and p99 below.
 * Press or drag to go there; it is a slider to the keyboard and to screen readers.
 */
import type { Frame, Micros } from 'loadpath/studio';
import { type PointerEvent, type ReactNode, useEffect, useMemo, useRef, useState } from 'react';
import { clockText, durationText, rateText } from '../parts/format.ts';
import type { Mark } from '../state/marks.ts';
import { drawSpark, sparkColours } from './draw.ts';
import { bandsOf, clusterName, clustersOf, clusterText } from './lanes.ts';
import { Sign } from './Sign.tsx';
import { type Scale, ticksOf, usOf, xOf } from './scale.ts';
import { latencyAxis, niceCeiling, sparkOf } from './spark.ts';
import styles from './Timeline.module.css';

export interface TimelineProps {
  readonly fromUs: Micros;
  readonly untilUs: Micros;
  /** How far the run has come: beyond it there is nothing to see yet. */
  readonly knownUs: Micros;
  readonly frames: readonly Frame[];
  readonly marks: readonly Mark[];
  /** Light or dark: the canvas is painted again when it changes. */
  readonly theme: string;
  readonly onSeek: (us: Micros) => void;
  /** Moves by itself, sixty times a second, without the rest being drawn again. */
  readonly playhead: (scale: Scale) => ReactNode;
}

const rowsMax = 3;
/** Of thin bands: so many rows are as high as a band with words. */
const rowPx = 5;
/** Many faults lie over one another; what is below them is still to be read. */
const shadeOf = (count: number) => Math.max(0.015, 0.09 / Math.sqrt(count));
const lanes = { rateHeight: 30, p99Height: 22, gap: 6 };

export function Timeline(props: TimelineProps) {
  const { fromUs, untilUs, knownUs, frames, marks, theme, onSeek, playhead } = props;
  const track = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const [width, setWidth] = useState(0);
  const scale = useMemo(() => ({ fromUs, untilUs, width }), [fromUs, untilUs, width]);
  const spark = useMemo(() => sparkOf(frames, scale), [frames, scale]);
  const latencies = latencyAxis(spark);
  const bands = useMemo(() => bandsOf(marks, scale, rowsMax), [marks, scale]);
  const ticks = useMemo(() => ticksOf(scale), [scale]);
  const tenths = (ticks[1] ?? 0) % 1e6 !== (ticks[0] ?? 0) % 1e6;
  const clusters = useMemo(() => clustersOf(marks, scale), [marks, scale]);

  useEffect(() => {
    const element = track.current;
    if (!element) return;
    const observer = new ResizeObserver(() => setWidth(element.clientWidth));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);

  // Another theme has other colours; the style sheet has changed by the time the theme has.
  const colours = useMemo(sparkColours, [theme]);
  const knownWidth = knownUs < untilUs ? xOf(scale, knownUs) : width;
  useEffect(() => {
    if (canvas.current && width > 0)
      drawSpark(canvas.current, spark, { width, knownWidth, ...lanes }, colours);
  }, [spark, width, knownWidth, colours]);

  function seekTo(event: PointerEvent): void {
    const box = track.current!.getBoundingClientRect();
    onSeek(usOf(scale, event.clientX - box.left));
  }

  return (
    <div className={styles.timeline}>
      <div className={styles.gutter} aria-hidden="true">
        {spark.ratePeak > 0 && (
          <span className={styles.top}>{rateText(niceCeiling(spark.ratePeak))}</span>
        )}
        {spark.p99PeakUs > 0 && (
          <span data-tip="p99 over every second, on a scale of magnitudes">
            <span className={styles.middle}>{durationText(latencies.max)}</span>
            <span className={styles.bottom}>{durationText(latencies.min)}</span>
          </span>
        )}
      </div>
      <div
        ref={track}
        className={styles.track}
        onPointerDown={(event) => {
          if (event.button !== 0 || (event.target as Element).closest('button')) return;
          event.currentTarget.setPointerCapture(event.pointerId);
          seekTo(event);
        }}
        onPointerMove={(event) => {
          if (event.currentTarget.hasPointerCapture(event.pointerId)) seekTo(event);
        }}
      >
        <div className={styles.signs}>
          {clusters.map((cluster) => (
            <button
              key={cluster.marks[0]!.atUs}
              type="button"
              tabIndex={-1}
              className={styles.sign}
              style={{ left: Math.min(cluster.x, width - 14) }}
              data-tip={`${clockText(cluster.marks[0]!.atUs)}  ${clusterText(cluster)}`}
              aria-label={clusterName(cluster)}
              onClick={() => onSeek(cluster.marks[0]!.atUs)}
            >
              <Sign type={cluster.type} count={cluster.marks.length} />
            </button>
          ))}
        </div>
        <div className={styles.bands}>
          {bands.map(({ mark, x, width, row, isThin }) => (
            <button
              key={`${row} ${mark.atUs} ${mark.text}`}
              type="button"
              tabIndex={-1}
              className={isThin ? styles.thinBand : styles.band}
              style={{ left: x, width, top: row * rowPx }}
              data-tip={`${mark.text}, ${clockText(mark.atUs)} to ${clockText(mark.untilUs!)}`}
              aria-label={`fault: ${mark.text}, from ${clockText(mark.atUs)} to ${clockText(mark.untilUs!)}`}
              onClick={() => onSeek(mark.atUs)}
            >
              <span>{mark.text}</span>
            </button>
          ))}
        </div>
        <canvas ref={canvas} className={styles.spark} />
        {bands.map(({ mark, x, width, row }) => (
          <span
            key={`${row} ${mark.atUs} ${mark.text}`}
            className={styles.shade}
            style={{ left: x, width, opacity: shadeOf(bands.length) }}
          />
        ))}
        <div className={styles.axis} aria-hidden="true">
          {ticks.map((us) => (
            <span key={us} className={styles.tick} style={{ left: xOf(scale, us) }}>
              {clockText(us, tenths)}
            </span>
          ))}
        </div>
        {width > 0 && playhead(scale)}
      </div>
    </div>
  );
}
