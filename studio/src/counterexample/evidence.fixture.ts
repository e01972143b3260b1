/** A store that forgot: c1 wrote 2 and was told so, c3 then reads 1 while a replica is cut off. */
import type { Evidence, EvidenceOperation } from 'loadpath/studio';

const t = 21_402_000;

function operation(
  client: string,
  what: string,
  invokedAt: number,
  endedAt: number | undefined,
  outcome: 'ok' | 'unknown' = 'ok',
): EvidenceOperation {
  const f = what.split(' ')[0]!;
  const base = {
    client,
    f,
    key: 'k3f9',
    input: null,
    output: null,
    outcome,
    invokedAt: t + invokedAt,
    what,
  };
  return endedAt === undefined ? base : { ...base, endedAt: t + endedAt };
}

export const evidence: Evidence = {
  model: 'kv',
  key: 'k3f9',
  operations: [
    operation('api/0', 'put 1', 0, 2_900),
    operation('api/1', 'get = 1', 3_400, 5_100),
    operation('api/2', 'put 7', 3_900, undefined, 'unknown'),
    operation('api/0', 'get = 1', 5_600, 7_000),
    operation('api/0', 'put 2', 1_208_000, 1_211_200),
    operation('api/1', 'get = 2', 1_212_000, 1_214_300),
    operation('api/3', 'get = 1', 1_215_800, 1_217_500),
    operation('api/0', 'get = 2', 1_216_400, 1_219_000),
  ],
  culprit: 6,
  at: t + 1_217_500,
  order: [0, 1, 3, 4, 5],
  reason: 'get = 1 is stale: 2 was written and read before it began',
  leftOut: 4,
};
