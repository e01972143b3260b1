/** Answers that Studio gives alike on a design and beside a system that runs. */
import { existsSync, readFileSync } from 'node:fs';
import { type FaultNames, formatFault, parseFault, withStarts } from '../design/faults.ts';
import { mermaidOf } from '../design/mermaid.ts';
import { LoadpathError } from '../kit/errors.ts';
import { shownPath } from '../run/node/places.ts';
import type { EventLog } from './event-log.ts';
import { streamLog } from './event-stream.ts';
import type { DesignView, FaultCheck, Hello } from './protocol.ts';
import { type FilmedRun, reportHtml } from './report-file.ts';
import type { Call } from './routes.ts';
import { Refused } from './server.ts';

export function stream<Events extends object>(
  log: EventLog<Events>,
  { request, response }: Call,
): undefined {
  streamLog(log, request, response);
}

/** `files`: those of the design, absolute; no other can be read. */
export function sendSource(files: readonly string[], { query, response }: Call): undefined {
  const shown = query.get('file');
  const file = files.find((one) => shownPath(one) === shown);
  if (file === undefined || !existsSync(file)) {
    throw new Refused(404, 'unknown-file', 'That is not a file of this design.');
  }
  response.writeHead(200, {
    'content-type': 'text/plain; charset=utf-8',
    'cache-control': 'no-store',
  });
  response.end(readFileSync(file, 'utf8'));
}

export function mermaid({ structure }: DesignView): { readonly text: string } {
  if (!structure) throw new Refused(409, 'no-design', 'There is nothing to draw yet.');
  return { text: mermaidOf(structure) };
}

export function sendHtml(
  design: DesignView,
  hello: Hello,
  run: FilmedRun,
  { response }: Call,
): undefined {
  const text = reportHtml(design, hello, run);
  const name = `${design.structure?.design ?? 'report'}-seed-${run.summary.request.seed}.html`;
  response.writeHead(200, {
    'content-type': 'text/html; charset=utf-8',
    'content-disposition': `attachment; filename="${name.replace(/[^\w.-]/g, '-')}"`,
    'cache-control': 'no-store',
  });
  response.end(text);
}

export function checkFaults(
  sentences: readonly string[],
  names: FaultNames,
): readonly FaultCheck[] {
  const all = withStarts(sentences, names);
  return sentences.map((sentence) => {
    try {
      return { sentence, text: formatFault(parseFault(sentence, all)), problem: null };
    } catch (failure) {
      if (!(failure instanceof LoadpathError)) throw failure;
      return { sentence, text: null, problem: failure.problems[0]?.what ?? failure.message };
    }
  });
}
