/** A line as small as a word: how a figure went. Decoration: the figure stands beside it. */
export function Spark({
  values,
  width = 96,
  height = 18,
}: {
  readonly values: readonly (number | null)[];
  readonly width?: number;
  readonly height?: number;
}) {
  const greatest = Math.max(0, ...values.map((value) => value ?? 0));
  if (values.length < 2 || greatest === 0) return null;
  const step = width / (values.length - 1);
  const points = values.map(
    (value, i) =>
      `${(i * step).toFixed(1)},${(height - 1 - ((value ?? 0) / greatest) * (height - 3)).toFixed(1)}`,
  );
  return (
    <svg width={width} height={height} aria-hidden="true" focusable="false">
      <polygon
        points={`0,${height} ${points.join(' ')} ${width},${height}`}
        fill="var(--series-1)"
        opacity="0.14"
      />
      <polyline
        points={points.join(' ')}
        fill="none"
        stroke="var(--series-1)"
        strokeWidth="1.3"
        strokeLinejoin="round"
      />
    </svg>
  );
}
