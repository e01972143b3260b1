/**
 * A finished run as the one-file page carries it: gzip in base64, since a film of 600 frames is
 * mostly repetition. Read in the browser, hence without Node.js.
 */
import type { RunEvent } from '../host/events.ts';
import type { Frame, FrameLayout } from '../run/frames.ts';
import type { Report } from '../run/report.ts';
import type { DesignView, Hello, RunEvents, RunSummary } from './protocol.ts';

/** Grows when an older page could not read what a newer program writes. */
export const reportFormat = 1;

/** The id of the element that holds it. */
export const reportElement = 'loadpath-report';

export interface ReportFile {
  readonly format: number;
  /** Of the program that wrote it. */
  readonly version: string;
  /** Its mode is `report`. */
  readonly hello: Hello;
  readonly design: DesignView;
  readonly run: RunSummary;
  readonly layout: FrameLayout | null;
  /** Joined to fewer when the file would become too large. */
  readonly frames: readonly Frame[];
  readonly events: readonly RunEvent[];
  readonly report: Report | null;
  readonly summary: RunEvents['summary'] | null;
}

/** What the element of a report page holds. Throws an Error that says which program wrote it when that is too new. */
export async function readReport(text: string): Promise<ReportFile> {
  const bytes = Uint8Array.from(atob(text.trim()), (letter) => letter.charCodeAt(0));
  const unpacked = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
  const file = (await new Response(unpacked).json()) as ReportFile;
  if (file.format === reportFormat) return file;
  throw new Error(
    `This file was written by Loadpath ${file.version} in format ${file.format}; this page reads format ${reportFormat}. Open it with that version.`,
  );
}
