/** The latency of all requests in view, on a log scale, with its percentiles marked. */
import type { Histogram } from 'loadpath/studio';
import { useMemo, useState } from 'react';
import { countText, durationText } from '../parts/format.ts';
import { placeOn } from '../parts/plot/axis.ts';
import type { Limit } from '../parts/plot/plot.ts';
import { useWidth } from '../parts/plot/use-width.ts';
import { type Bar, barsInWords, latencyBars } from './histogram.ts';
import { saveHistogram } from './save-histogram.ts';

const height = 150;
const edge = { top: 34, right: 24, bottom: 24, left: 52 };

export function HistogramView({
  histogram,
  limits,
  caption,
}: {
  readonly histogram: Histogram;
  readonly limits: readonly Limit[];
  readonly caption: string;
}) {
  const shown = useMemo(() => latencyBars(histogram), [histogram]);
  const [pointed, setPointed] = useState<Bar | null>(null);
  const [place, width] = useWidth();
  if (!shown) return null;
  const plotWidth = Math.max(10, width - edge.left - edge.right);
  const plotHeight = height - edge.top - edge.bottom;
  const xAt = (us: number) =>
    edge.left + placeOn(shown.axis, Math.max(us, shown.axis.min)) * plotWidth;
  const yAt = (count: number) => edge.top + plotHeight * (1 - count / shown.greatest);
  const share = (count: number) => `${((count / shown.count) * 100).toPrecision(3)} %`;
  return (
    <figure className="plot">
      <figcaption className="plot-head">
        <h3>Latency, all requests</h3>
        <span className="plot-caption">{caption}</span>
        <span className="plot-save">
          {(['png', 'svg', 'csv'] as const).map((format) => (
            <button
              type="button"
              key={format}
              aria-label={`Save the histogram as ${format.toUpperCase()}`}
              onClick={() => void saveHistogram(shown, format)}
            >
              {format.toUpperCase()}
            </button>
          ))}
        </span>
      </figcaption>
      <p className="histogram-told">
        {pointed
          ? `${durationText(pointed.fromUs)} to ${durationText(pointed.toUs)}: ${countText(pointed.count)} requests, ${share(pointed.count)}`
          : barsInWords(shown)}
      </p>
      <div ref={place} className="histogram">
        <svg
          width={width}
          height={height}
          role="img"
          aria-label={barsInWords(shown)}
          onPointerLeave={() => setPointed(null)}
        >
          {shown.axis.ticks.map((tick) => (
            <g key={tick}>
              <path
                d={`M${xAt(tick)} ${edge.top}V${height - edge.bottom}`}
                className="histogram-grid"
              />
              <text x={xAt(tick)} y={height - 8} textAnchor="middle" className="histogram-tick">
                {durationText(tick)}
              </text>
            </g>
          ))}
          <text x={edge.left - 6} y={edge.top + 4} textAnchor="end" className="histogram-tick">
            {countText(shown.greatest)}
          </text>
          {shown.bars.map((bar) => (
            <g key={bar.fromUs} onPointerEnter={() => setPointed(bar)}>
              <rect
                x={xAt(bar.fromUs)}
                y={edge.top}
                width={Math.max(1, xAt(bar.toUs) - xAt(bar.fromUs))}
                height={plotHeight}
                fill="transparent"
              />
              {bar.count > 0 ? (
                <rect
                  className={
                    bar === pointed ? 'histogram-bar histogram-bar-pointed' : 'histogram-bar'
                  }
                  x={xAt(bar.fromUs) + 0.5}
                  y={Math.min(yAt(bar.count), height - edge.bottom - 1)}
                  width={Math.max(1, xAt(bar.toUs) - xAt(bar.fromUs) - 1)}
                  height={Math.max(1, height - edge.bottom - yAt(bar.count))}
                />
              ) : null}
            </g>
          ))}
          <path
            d={`M${edge.left} ${height - edge.bottom}H${width - edge.right}`}
            className="histogram-base"
          />
          {spread(
            shown.percentiles.map(({ name, us }) => ({ name, at: xAt(us) })),
            width - edge.right,
          ).map(({ name, at, labelAt }) => (
            <g key={name} className="histogram-percentile">
              <path d={`M${at} ${edge.top - 8}V${height - edge.bottom}`} />
              <path d={`M${labelAt} ${edge.top - 16}L${at} ${edge.top - 8}`} />
              <text x={labelAt} y={edge.top - 20} textAnchor="middle">
                {name}
              </text>
            </g>
          ))}
          {limits.map((limit) =>
            limit.value <= shown.axis.max ? (
              <path
                key={limit.name}
                d={`M${xAt(limit.value)} ${edge.top}V${height - edge.bottom}`}
                className="histogram-limit"
              >
                <title>{`${limit.name} ${durationText(limit.value)}`}</title>
              </path>
            ) : null,
          )}
        </svg>
      </div>
    </figure>
  );
}

/** Labels side by side, though what they name may lie closer: each keeps its distance from the one before. */
function spread(marks: readonly { readonly name: string; readonly at: number }[], right: number) {
  const apart = 36;
  const placed = marks.map((mark) => ({ ...mark, labelAt: mark.at }));
  for (let i = 1; i < placed.length; i++) {
    placed[i]!.labelAt = Math.max(placed[i]!.labelAt, placed[i - 1]!.labelAt + apart);
  }
  let limit = right - apart / 2;
  for (const mark of placed.reverse()) {
    mark.labelAt = Math.min(mark.labelAt, limit);
    limit = mark.labelAt - apart;
  }
  return placed;
}
