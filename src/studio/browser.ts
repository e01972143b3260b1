/**
 * All that Studio's page knows of Loadpath: types, and the few pure functions that need neither
 * Node.js nor a design. `studio/` imports this and nothing else.
 */

export type { FaultNames } from '../design/faults.ts';
export { faultExamples, formatFault, parseFault, parseFaultNow } from '../design/faults.ts';
export type { BlockView, CallView, StructuralView } from '../design/structure.ts';
export type { RunEvent } from '../host/events.ts';
export type { Fault } from '../host/fault.ts';
export type { Micros, NodeId } from '../host/host.ts';
export type { Problem } from '../kit/errors.ts';
export { LoadpathError } from '../kit/errors.ts';
export { Histogram, type HistogramData, middleOf, percentileOf } from '../kit/histogram.ts';
export {
  formatBytes,
  formatDuration,
  formatRate,
  parseBytes,
  parseDuration,
  parseRate,
} from '../kit/units.ts';
export type { Finding, HuntProgress, HuntReport, Progress, SeedVerdict } from '../run/api.ts';
export {
  type Compared,
  type ComparedPromise,
  type ComparedRow,
  type Comparison,
  compareReports,
  type Difference,
} from '../run/compare.ts';
export { type FaultSpan, faultSpansOf } from '../run/fault-spans.ts';
export type { Frame, FrameLayout, NodeState, PathState } from '../run/frames.ts';
export { continues, widened } from '../run/frames.ts';
export type {
  BlockReport,
  InvariantResult,
  LatencyMs,
  ObjectiveResult,
  Outcome,
  Report,
  Series,
} from '../run/report.ts';
export { outcomeOf } from '../run/report.ts';
export type { Estimate, Summary } from '../run/summary.ts';
export type { SweepPoint, SweepReport } from '../run/sweep.ts';
export { parseValues, sweepValuesForm } from '../run/sweep-values.ts';
export type {
  MessageRow,
  MessageWindow,
  RequestRow,
  RequestSample,
  Span,
  Waterfall,
} from '../run/traced.ts';
export type { Evidence, EvidenceOperation } from '../verify/evidence.ts';
export type * from './protocol.ts';
export { type ReportFile, readReport, reportElement, reportFormat } from './report-data.ts';
