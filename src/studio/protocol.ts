/**
 * What Studio's page and its server say to each other. Everything is JSON over HTTP on loopback;
 * what goes on comes as server-sent events, named as the keys of the `…Events` interfaces below.
 * Every call carries the token that the page was opened with (`authorization: Bearer …`, or
 * `?token=…` on event streams) and must come from the page's own origin.
 *
 *   GET    /api/hello                         Hello
 *   GET    /api/watch                         events: WatchEvents (design saved, other tabs' runs, live system)
 *   GET    /api/design                        DesignView
 *   GET    /api/source?file=…                 text
 *   PUT    /api/design         JsonDesign     DesignView        a design of data: saved to its file
 *   POST   /api/design/typescript JsonDesign  { text }          the same as code
 *   POST   /api/design/check   JsonDesign     DesignView        without saving
 *   GET    /api/mermaid                       { text }
 *   POST   /api/runs           RunRequest     { id }
 *   GET    /api/runs                          RunSummary[]
 *   GET    /api/runs/:id/stream               events: RunEvents, from the first on; resumes after `Last-Event-ID`
 *   POST   /api/runs/:id/pause | resume | stop
 *   DELETE /api/runs/:id
 *   GET    /api/runs/:id/requests             RequestSample     slowest first, then failed ones
 *   GET    /api/runs/:id/requests/:index      Waterfall
 *   GET    /api/runs/:id/messages?fromUs&toUs&nodes=a,b&blocks=…   MessageWindow
 *   GET    /api/runs/:id/html                 one file that opens offline
 *   POST   /api/faults/save    { faults }     { file }          into the design's fault plan
 *   POST   /api/faults/check   { faults, data? }   FaultCheck[]    `data`: what is on the drawing board
 *   GET    /api/labs                          LabSummary[]     those that were recorded
 *   GET    /api/labs/:id                      LabPage
 *   POST   /api/labs/:id/open                 { url }          its design, in a studio of its own
 *   POST   /api/hunts          HuntRequest    { id }
 *   GET    /api/hunts/:id/stream              events: HuntEvents
 *   POST   /api/hunts/:id/stop
 *   POST   /api/sweeps         SweepRequest   { id }
 *   GET    /api/sweeps/:id/stream             events: SweepEvents
 *   POST   /api/sweeps/:id/stop
 *   POST   /api/live/faults    { fault }      { text }          now, in the running system
 *   POST   /api/live/heal                     {}                ends them all
 *
 * Errors are a 4xx or 5xx with `Refusal`.
 */

import type { KnobView } from '../design/options.ts';
import type { StructuralView } from '../design/structure.ts';
import type { RunEvent } from '../host/events.ts';
import type { Micros } from '../host/host.ts';
import type { Problem } from '../kit/errors.ts';
import type { Finding, HuntProgress, HuntReport, Progress } from '../run/api.ts';
import type { Frame, FrameLayout } from '../run/frames.ts';
import type { Table } from '../run/labs/figure.ts';
import type { LabVerdict } from '../run/labs/lab.ts';
import type { Report } from '../run/report.ts';
import type { Summary } from '../run/summary.ts';
import type { SweepPoint, SweepReport } from '../run/sweep.ts';

export type { KnobView };

export interface Hello {
  readonly version: string;
  /** `design`: simulate it here. `live`: attached to a running system. `report`: one finished run, offline. */
  readonly mode: 'design' | 'live' | 'report';
  readonly palette: readonly PaletteBlock[];
}

/** A kind of block, as its `block.ts` tells it. */
export interface PaletteBlock {
  readonly kind: string;
  readonly family: string;
  readonly purpose: string;
  readonly shape: string;
  readonly colour: string;
  readonly servesWeb: boolean;
  /** May stand in a design of data. */
  readonly modelled: boolean;
  readonly knobs: readonly KnobView[];
}

export interface DesignView {
  /** Grows with every change that was read. */
  readonly revision: number;
  readonly path: string;
  readonly kind: 'code' | 'data';
  /** Empty when the design can be run. Then `structure` is the last that could. */
  readonly problems: readonly ProblemView[];
  readonly structure: StructuralView | null;
  /** Per block, its options as a user would write them, defaults included. */
  readonly options: Readonly<Record<string, Readonly<Record<string, string | number | boolean>>>>;
  readonly objectives: Readonly<Record<string, string | number>>;
  readonly invariants: readonly string[];
  /** The faults that the design declares, and those saved beside it. */
  readonly faults: readonly string[];
  /** Files it consists of, the design first. */
  readonly sources: readonly string[];
  /** A design of data as it stands in its file. */
  readonly data: JsonDesign | null;
}

export interface ProblemView extends Problem {
  readonly file?: string | undefined;
  readonly line?: number | undefined;
  readonly column?: number | undefined;
}

/** As `schema/design.schema.json` says; `studio` holds positions on the drawing board. */
export type JsonDesign = Readonly<Record<string, unknown>>;

export interface RunRequest {
  readonly seed: number;
  readonly forUs?: Micros | undefined;
  readonly ratePerSec?: number | undefined;
  /** Sentences, besides the design's own. */
  readonly faults: readonly string[];
  readonly ownFaults: boolean;
  /** Options in place of the design's: `{ 'links.replicas': 5 }`. */
  readonly set: Readonly<Record<string, string | number | boolean>>;
  /** After the heal, users come again and must be served, as in every run of a hunt. */
  readonly probe?: boolean | undefined;
  /** More than 1: further seeds after the one that is shown, for intervals. */
  readonly seeds?: number | undefined;
  /** A design of data in place of the file: what is on the drawing board. */
  readonly data?: JsonDesign | undefined;
}

export interface RunSummary {
  readonly id: string;
  readonly request: RunRequest;
  readonly state: 'running' | 'paused' | 'done' | 'failed' | 'stopped';
  readonly startedAt: string;
}

export interface RunEvents {
  /** The design as this run has it, where other options or a board make it differ from the file. */
  structure: StructuralView;
  layout: FrameLayout;
  frame: Frame;
  event: RunEvent;
  progress: Progress;
  report: Report;
  /** With `seeds`: over all that have ended so far. The last one brings their reports, for comparing seed by seed: at most 50. */
  summary: Summary & { readonly reports?: readonly Report[] };
  failed: Refusal;
  /** Nothing more comes. */
  end: { readonly state: RunSummary['state'] };
}

export interface WatchEvents {
  design: DesignView;
  runs: readonly RunSummary[];
  /** A live run began to stream under this id. */
  live: {
    readonly id: string;
    readonly urls: readonly string[];
    readonly tryIt: readonly string[];
  };
}

export interface HuntRequest {
  readonly seedFirst: number;
  readonly seedCount: number;
  readonly forUs?: Micros | undefined;
  readonly ratePerSec?: number | undefined;
}

export interface HuntEvents {
  progress: HuntProgress;
  finding: Finding;
  report: HuntReport;
  failed: Refusal;
}

export interface SweepRequest {
  /** `api.instances`, `rate`. */
  readonly over: string;
  /** `1..8`, `100/s, 200/s, 400/s`. */
  readonly values: string;
  readonly seeds: number;
  readonly run: RunRequest;
}

export interface SweepEvents {
  point: SweepPoint;
  report: SweepReport;
  failed: Refusal;
}

export interface FaultCheck {
  readonly sentence: string;
  /** As it would be printed; null when it is wrong. */
  readonly text: string | null;
  readonly problem: string | null;
}

export interface Refusal {
  readonly code: string;
  readonly message: string;
  readonly problems: readonly ProblemView[];
}

/** A lab in the gallery: what its recorded run came to. */
export interface LabSummary {
  readonly id: string;
  readonly title: string;
  readonly claim: string;
  readonly verdict: LabVerdict;
  /** The verdict in words. */
  readonly says: string;
  /** It came out other than expected. */
  readonly isSurprise: boolean;
}

export interface LabPage extends LabSummary {
  readonly question: string;
  readonly method: string;
  readonly advice: string;
  readonly why: string;
  /** In words. */
  readonly expected: string;
  /** Name of the design that it opens with; null: it measures parts alone. */
  readonly design: string | null;
  readonly seedCount: number;
  readonly figures: readonly (
    | Table
    | {
        readonly kind: 'chart';
        readonly title: string;
        readonly svg: string;
        readonly note?: string;
      }
  )[];
}
