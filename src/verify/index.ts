/** `loadpath/verify`: judges of recorded histories, for designs, for tests, for files from elsewhere. */
export { judgeConservation, type RequestCounts } from './conservation.ts';
export { judgeInOrder, judgeNoLoss, type NoLossOptions } from './delivery.ts';
export {
  type FileVerdict,
  judge,
  type ParseOptions,
  parseHistory,
  type RecordedHistory,
} from './files.ts';
export { onFormerData } from './former.ts';
export { judgeUniqueIds } from './ids.ts';
export {
  durable,
  inOrder,
  invariant,
  linearizable,
  monotonicReads,
  type Named,
  type NamedIds,
  type NamedStore,
  type NamedTopic,
  noLoss,
  readYourWrites,
  uniqueIds,
} from './invariants.ts';
export { judgeOperations, linearizability } from './linearizability.ts';
export { type ModelName, modelNames } from './models.ts';
export { Operations } from './operations.ts';
export { describeOperation, type PrintOptions, printCounterexample } from './print.ts';
export { judgeDurable, judgeMonotonicReads, judgeReadYourWrites } from './sessions.ts';
export type {
  Budget,
  Counterexample,
  Invariant,
  TimedOperation,
  Verdict,
} from './verdict.ts';
