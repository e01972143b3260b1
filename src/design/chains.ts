/**
 * What retries come to along a chain of calls: each floor multiplies what the one above it sends. Five
 * attempts from M1 to M2 and five from M2 to M3 are 25 calls of M3 for one of M1.
 */
import type { CallView, StructuralView } from './structure.ts';

export interface Chain {
  /** From who is called by nobody to who calls nobody. */
  readonly calls: readonly CallView[];
  /** Attempts that one request may cause at the end, when everything there fails. */
  readonly attemptsMax: number;
  /** The same on average over time: budgets bound it. */
  readonly sustained: number;
}

/** What a retry may multiply the traffic of a call by. A budget bounds it, however many attempts. */
export function amplificationOf(call: CallView): number {
  if (!call.retry) return 1;
  const { attempts, budgetRatio } = call.retry;
  return budgetRatio === undefined ? attempts : Math.min(attempts, 1 + budgetRatio);
}

/** Every chain; a circle is walked once around. */
export function chainsOf(view: StructuralView): Chain[] {
  const called = new Set(view.calls.map((call) => call.to));
  const chains: Chain[] = [];
  const walk = (name: string, calls: readonly CallView[]): void => {
    const onward = view.calls.filter(
      (call) => call.from === name && !calls.some((before) => before.from === call.to),
    );
    for (const call of onward) walk(call.to, [...calls, call]);
    if (onward.length > 0 || calls.length === 0) return;
    chains.push({
      calls,
      attemptsMax: calls.reduce((product, { retry }) => product * (retry?.attempts ?? 1), 1),
      sustained: calls.reduce((product, call) => product * amplificationOf(call), 1),
    });
  };
  for (const { name } of view.blocks) if (!called.has(name)) walk(name, []);
  return chains;
}
