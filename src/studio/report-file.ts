/** A finished run as one HTML file that opens offline: the page, with the run inside. */
import { gzipSync } from 'node:zlib';
import { LoadpathError } from '../kit/errors.ts';
import { widened } from '../run/frames.ts';
import { version } from '../run/version.ts';
import type { EventLog } from './event-log.ts';
import { reportPage } from './page.ts';
import type { DesignView, Hello, RunEvents, RunSummary } from './protocol.ts';
import { type ReportFile, reportElement, reportFormat } from './report-data.ts';
import { type Film, thinned } from './thinning.ts';

/** Small enough for a mail. */
const bytesMax = 2_000_000;

export interface FilmedRun {
  readonly summary: RunSummary;
  readonly log: EventLog<RunEvents>;
}

/** `design` and `hello` as the page had them. */
export function reportHtml(design: DesignView, hello: Hello, { summary, log }: FilmedRun): string {
  const page = reportPage();
  if (page === undefined) {
    throw new LoadpathError('bad-option', 'The page for reports is not built: run npm run build.');
  }
  const layout = log.all('layout').at(-1) ?? null;
  // In a file nothing goes on: it shows how far the run had come.
  const isGoing = summary.state === 'running' || summary.state === 'paused';
  const file: ReportFile = {
    format: reportFormat,
    version,
    hello: { ...hello, mode: 'report' },
    design,
    run: { ...summary, state: isGoing ? 'stopped' : summary.state },
    layout,
    frames: log.all('frame').map((frame) => (layout ? widened(frame, layout) : frame)),
    events: log.all('event'),
    report: log.all('report')[0] ?? null,
    summary: log.all('summary')[0] ?? null,
  };
  const data = fitting(file, bytesMax - Buffer.byteLength(page));
  const element = `<script type="application/octet-stream" id="${reportElement}">${data}</script>`;
  return page.replace('<!--run-->', () => element);
}

/** Joins more and more frames until it fits; what is not film stays as it is. */
function fitting(file: ReportFile, max: number): string {
  const whole = packed(file);
  if (whole.length <= max || file.layout === null) return whole;
  const film: Film = { layout: file.layout, frames: file.frames };
  let text = whole;
  for (let count = 2; count <= file.frames.length && text.length > max; count *= 2) {
    text = packed({ ...file, ...thinned(film, count) });
  }
  return text;
}

function packed(file: ReportFile): string {
  return gzipSync(JSON.stringify(file), { level: 9 }).toString('base64');
}
