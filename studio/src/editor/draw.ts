/** How long something takes, as a form says it: always the same, or exponential about a mean. */
import { isFields } from './board.ts';

export type DrawKind = 'constant' | 'exponential';

export interface Cost {
  /** Waits for something, or keeps a core busy. */
  readonly on: 'wait' | 'cpu';
  readonly draw: DrawKind;
  readonly duration: string;
}

export const noCost: Cost = { on: 'wait', draw: 'constant', duration: '' };

/** Undefined: more than the form can say. */
export function readCost(cost: unknown): Cost | undefined {
  if (cost === undefined) return noCost;
  if (isFields(cost) && 'cpu' in cost) return withDraw('cpu', cost.cpu);
  if (isFields(cost) && 'wait' in cost) return withDraw('wait', cost.wait);
  return withDraw('wait', cost);
}

export function writeCost({ on, draw, duration }: Cost): unknown {
  if (duration.trim() === '') return undefined;
  const value = draw === 'constant' ? duration : { [draw]: duration };
  return on === 'cpu' ? { cpu: value } : value;
}

function withDraw(on: Cost['on'], draw: unknown): Cost | undefined {
  if (typeof draw === 'string') return { on, draw: 'constant', duration: draw };
  if (!isFields(draw)) return undefined;
  for (const kind of ['constant', 'exponential'] as const) {
    const duration = draw[kind];
    if (typeof duration === 'string') return { on, draw: kind, duration };
  }
  return undefined;
}
