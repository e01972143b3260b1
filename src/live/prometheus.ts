/** Meters as Prometheus text (exposition format 0.0.4). Pure. */
import { pathFigureOf } from '../host/path.ts';
import { Histogram } from '../kit/histogram.ts';
import type { MeterReading, MetersSnapshot } from '../kit/meters.ts';

const quantiles = [0.5, 0.9, 0.99, 0.999];

interface Family {
  readonly type: 'counter' | 'gauge' | 'summary';
  readonly help: string;
  readonly lines: string[];
}

/** `own` are figures of the live world itself: name (snake_case), labels, value. */
export function prometheusText(
  snapshot: MetersSnapshot,
  own: readonly {
    readonly name: string;
    readonly type: 'counter' | 'gauge';
    readonly help: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly value: number;
  }[] = [],
): string {
  const families = new Map<string, Family>();
  const family = (name: string, type: Family['type'], help: string): Family => {
    const known = families.get(name);
    if (known) return known;
    const made = { type, help, lines: [] };
    families.set(name, made);
    return made;
  };
  for (const { name, type, help, labels, value } of own) {
    family(name, type, help).lines.push(`${name}${labelText(labels)} ${value}`);
  }
  for (const reading of snapshot) addReading(reading, family);
  let text = '';
  for (const [name, { type, help, lines }] of [...families].sort(([a], [b]) => (a < b ? -1 : 1))) {
    text += `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join('\n')}\n`;
  }
  return text;
}

function addReading(
  { node, block, counters, gauges, histograms }: MeterReading,
  family: (name: string, type: Family['type'], help: string) => Family,
): void {
  const labels = labelText({ node, block });
  for (const [name, value] of Object.entries(counters)) {
    const { own, more } = named(name);
    const full = `loadpath_${snake(own)}_total`;
    family(full, 'counter', `Counter "${own}" of a block's programs.`).lines.push(
      `${full}${labelText({ node, block, ...more })} ${value}`,
    );
  }
  for (const [name, { last }] of Object.entries(gauges)) {
    const full = `loadpath_${snake(name)}`;
    family(full, 'gauge', `Gauge "${name}" of a block's programs.`).lines.push(
      `${full}${labels} ${last}`,
    );
  }
  for (const [name, data] of Object.entries(histograms)) {
    const histogram = Histogram.fromJSON(data);
    // Microseconds unless the name ends in another unit; Prometheus counts time in seconds.
    const { own, more } = named(name);
    const unit = /(bytes|count|ratio)$/i.test(own) ? '' : '_seconds';
    const scale = unit === '' ? 1 : 1e-6;
    const full = `loadpath_${snake(own)}${unit}`;
    const { lines } = family(full, 'summary', `Histogram "${own}" of a block's programs.`);
    for (const quantile of quantiles) {
      const value = histogram.percentile(quantile * 100) * scale;
      const at = labelText({ node, block, ...more, quantile: String(quantile) });
      lines.push(`${full}${at} ${tidy(value)}`);
    }
    const at = labelText({ node, block, ...more });
    lines.push(`${full}_sum${at} ${tidy(histogram.sum * scale)}`);
    lines.push(`${full}_count${at} ${histogram.count}`);
  }
}

const pathNames = { calls: 'calls', errors: 'call errors', latency: 'call latency' } as const;

/** A path's meters are one family, with whom it leads to as a label. */
function named(name: string): {
  readonly own: string;
  readonly more: Readonly<Record<string, string>>;
} {
  const path = pathFigureOf(name);
  return path ? { own: pathNames[path.figure], more: { to: path.to } } : { own: name, more: {} };
}

function labelText(labels: Readonly<Record<string, string>>): string {
  const parts = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  return `{${parts.join(',')}}`;
}

function escaped(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}

function snake(name: string): string {
  return name
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replace(/[^a-zA-Z0-9_]/g, '_')
    .toLowerCase();
}

/** Fractions of a microsecond are noise of the division. */
function tidy(value: number): number {
  return Number(value.toPrecision(12));
}
