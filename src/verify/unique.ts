/**
 * Registers whose every write has a value of its own can be judged without a search, in
 * n log n (Gibbons and Korach, "Testing shared memories", 1997).
 *
 * A value and all that read it form a cluster. Between the first return and the last call of a
 * cluster the register must hold that value: a forward zone. When the last call comes first, all
 * of the cluster overlaps, and it fits anywhere in between: a backward zone.
 *
 *   forward    ├─put 1─┤     ├─get 1─┤        held from the first return to the last call
 *                      └─────┘
 *   backward   ├─────put 2──────┤
 *                  ├──get 2──┤                fits anywhere in here
 *                  └─────────┘
 *
 * An order exists unless a read returned before its write was called, two forward zones overlap,
 * or a backward zone lies within a forward one.
 */
import { type Act, readKind, writeKind } from './models.ts';
import { never } from './operations.ts';

interface Cluster {
  written: boolean;
  writeCall: number;
  /** The first return, the last call. */
  endMin: number;
  callMax: number;
}

/**
 * True or false when it could decide, undefined when these acts need the search: something else
 * than reads and writes, a value written twice, an outcome that nobody knows.
 */
export function judgeUnique(acts: readonly Act[], initial: number): boolean | undefined {
  const clusters = new Map<number, Cluster>();
  // What was there before the history began is a write that returned before everything.
  clusters.set(initial, { written: true, writeCall: -2, endMin: -1, callMax: -2 });
  for (let i = 0; i < acts.length; i++) {
    const act = acts[i]!;
    if (act.end === never) return undefined;
    const writes = act.kind === writeKind;
    if (!writes && act.kind !== readKind) return undefined;
    const value = writes ? act.b : act.a;
    const cluster = clusters.get(value);
    if (!cluster) {
      clusters.set(value, {
        written: writes,
        writeCall: writes ? act.call : 0,
        endMin: act.end,
        callMax: act.call,
      });
      continue;
    }
    if (writes) {
      if (cluster.written) return undefined;
      cluster.written = true;
      cluster.writeCall = act.call;
    }
    if (act.end < cluster.endMin) cluster.endMin = act.end;
    if (act.call > cluster.callMax) cluster.callMax = act.call;
  }

  const forward: Cluster[] = [];
  const backward: Cluster[] = [];
  for (const cluster of clusters.values()) {
    if (!cluster.written || cluster.endMin < cluster.writeCall) return false;
    if (cluster.endMin < cluster.callMax) forward.push(cluster);
    else backward.push(cluster);
  }
  forward.sort((a, b) => a.endMin - b.endMin);
  for (let i = 1; i < forward.length; i++) {
    if (forward[i]!.endMin < forward[i - 1]!.callMax) return false;
  }
  for (const zone of backward) {
    const around = lastStartingBefore(forward, zone.callMax);
    if (around && zone.endMin < around.callMax) return false;
  }
  return true;
}

function lastStartingBefore(forward: readonly Cluster[], position: number): Cluster | undefined {
  let low = 0;
  let high = forward.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (forward[middle]!.endMin < position) low = middle + 1;
    else high = middle;
  }
  return forward[low - 1];
}
