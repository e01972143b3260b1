/** A plot of a few points, drawn once, each point a button: for sweeps. */
import { placeOn, spanAxis } from './axis.ts';
import { SaveButtons, Swatch } from './PlotView.tsx';
import type { Plot } from './plot.ts';
import { formatValue } from './plot.ts';
import { areaPath, linePath, yAxisOf } from './svg.ts';
import './plot.css';
import { useWidth } from './use-width.ts';

export interface StillPlotProps {
  readonly plot: Plot;
  readonly height: number;
  readonly log: boolean;
  readonly xTitle: string;
  /** How the position of a point is written. */
  readonly xLabels: readonly string[];
  readonly mark?: { readonly x: number; readonly text: string } | undefined;
  /** What pressing a point does, in words; and does. */
  readonly pointLabel: (index: number) => string;
  readonly onPoint: (index: number) => void;
}

const edge = { top: 16, right: 20, bottom: 38, left: 58 };
/** Labels nearer to one another than this overlap. */
const labelApartPx = 44;

export function StillPlot(props: StillPlotProps) {
  const { plot, height, log, mark } = props;
  const [place, width] = useWidth();
  const xAxis = { ...spanAxis(plot.x[0] ?? 0, plot.x.at(-1) ?? 1) };
  const yAxis = yAxisOf(plot, log);
  const right = width - edge.right;
  const floor = height - edge.bottom;
  const xAt = (x: number) => edge.left + placeOn(xAxis, x) * (right - edge.left);
  const yAt = (y: number | null) =>
    y === null ? null : edge.top + (1 - placeOn(yAxis, y)) * (floor - edge.top);
  const xs = plot.x.map(xAt);
  const main = plot.curves[0];
  return (
    <figure className="plot">
      <figcaption className="plot-head">
        <h3>{plot.title}</h3>
        <span className="plot-save">
          <SaveButtons
            plot={plot}
            bands={[]}
            log={log}
            xName={props.xTitle}
            formatX={(x) => String(x)}
          />
        </span>
      </figcaption>
      <ul className="plot-legend">
        {plot.curves.map((curve) => (
          <li key={curve.name} className="plot-legend-still">
            <Swatch curve={curve} />
            {curve.name}
            {curve.low ? ', 95 % interval' : ''}
          </li>
        ))}
      </ul>
      <div ref={place} className="plot-still" style={{ height }}>
        <svg width={width} height={height} aria-hidden="true">
          {yAxis.ticks.map((tick) => (
            <g key={tick}>
              <path d={`M${edge.left} ${yAt(tick)}H${right}`} stroke="var(--line)" />
              <text x={edge.left - 6} y={(yAt(tick) ?? 0) + 4} textAnchor="end">
                {formatValue(plot.unit, tick)}
              </text>
            </g>
          ))}
          {farApart(xs).map((index) => (
            <text key={plot.x[index]} x={xs[index]} y={floor + 16} textAnchor="middle">
              {props.xLabels[index]}
            </text>
          ))}
          <text x={(edge.left + right) / 2} y={height - 4} textAnchor="middle">
            {props.xTitle}
          </text>
          {mark && (
            <g className="plot-mark">
              <path d={`M${xAt(mark.x)} ${edge.top}V${floor}`} />
              <text
                x={xAt(mark.x) + (xAt(mark.x) > width - 90 ? -5 : 5)}
                y={edge.top + 10}
                textAnchor={xAt(mark.x) > width - 90 ? 'end' : 'start'}
              >
                {mark.text}
              </text>
            </g>
          )}
          {plot.curves.map((curve) => (
            <g key={curve.name}>
              {curve.low && curve.high && (
                <path
                  d={areaPath(xs, curve.high.map(yAt), curve.low.map(yAt))}
                  fill={`var(--${curve.ink})`}
                  opacity="0.18"
                />
              )}
              <path
                d={linePath(xs, curve.values.map(yAt))}
                fill="none"
                stroke={`var(--${curve.ink})`}
                strokeWidth="1.8"
                strokeLinejoin="round"
                strokeDasharray={curve.dash.join(' ') || undefined}
              />
            </g>
          ))}
        </svg>
        {main?.values.map((value, index) => {
          const y = yAt(value);
          return y === null ? null : (
            <button
              key={plot.x[index]}
              type="button"
              className="plot-point"
              style={{ left: xs[index], top: y, color: `var(--${main.ink})` }}
              aria-label={props.pointLabel(index)}
              data-tip={props.pointLabel(index)}
              onClick={() => props.onPoint(index)}
            />
          );
        })}
      </div>
    </figure>
  );
}

function farApart(xs: readonly number[]): number[] {
  const kept: number[] = [];
  for (let i = 0; i < xs.length; i++) {
    const before = kept.at(-1);
    if (before === undefined || xs[i]! - xs[before]! >= labelApartPx) kept.push(i);
  }
  return kept;
}
