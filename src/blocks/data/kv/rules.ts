/**
 * The rules that make the store safe, as switches for tests: a hunt must find what each of them
 * prevents (`testdata/planted.ts`). Everything else uses `soundRules`.
 */
export interface Rules {
  /** An answer that comes twice, or from a node that answered before, counts once. */
  readonly countEachReplicaOnce: boolean;
  /** A replica answers `stored` only once its disk has it. */
  readonly syncBeforeAnswer: boolean;
  /** A stand-in forgets a hint only once its owner has it. */
  readonly keepHintUntilStored: boolean;
}

export const soundRules: Rules = {
  countEachReplicaOnce: true,
  syncBeforeAnswer: true,
  keepHintUntilStored: true,
};
