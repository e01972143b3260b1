/** What a request costs an instance, as users write it and as the code reads it. */
import { type Knob, show } from '../../../kit/config.ts';
import { type Draw, drawText, parseDraw, readDraw } from '../../../kit/draw.ts';
import type { Problem } from '../../../kit/errors.ts';
import type { Cost } from './config.ts';

/** `{ cpu }` takes time of a core and queues for it; `{ wait }` merely passes. A bare value is `wait`. */
export type CostOption = Draw | { readonly cpu: Draw } | { readonly wait: Draw };

export const costKnob: Knob<'draw', CostOption, Cost> = {
  unit: 'draw',
  preset: undefined,
  doc: 'What a request costs an instance, before the calls it makes. cpu takes time of a core and queues for it; wait merely passes.',
  allowed: "a duration like '5ms' or 'exponential(5ms)', with 'cpu' or 'wait' before it",
  parse: (given) => (typeof given === 'string' ? readCost(given) : costIn(given)),
  print: (given) => {
    const cost = costIn(given);
    if (!cost) return undefined;
    const text = drawText('cpu' in cost ? cost.cpu : cost.wait);
    return text && ('cpu' in cost ? `cpu ${text}` : `wait ${text}`);
  },
};

/** `cpu exponential(2ms)`. Without a word before it, it is of the kind that `like` is. */
export function readCost(text: string, like?: CostOption): Cost | undefined {
  const [, word, rest] = /^(?:(cpu|wait)\s+)?(.*)$/.exec(text.trim())!;
  const draw = readDraw(rest!);
  if (!draw) return undefined;
  const isCpu = word === 'cpu' || (word === undefined && isRecord(like) && 'cpu' in like);
  return isCpu ? { cpu: draw } : { wait: draw };
}

export function costOf(at: string, cost: CostOption, problems: Problem[]): Cost | null {
  const priced = costIn(cost);
  if (priced) return priced;
  const given = isRecord(cost) && 'cpu' in cost ? cost.cpu : cost;
  problems.push({
    at,
    what: `must be a duration like '5ms' or a distribution like exponential('5ms'), got ${show(given)}`,
  });
  return null;
}

function costIn(cost: unknown): Cost | undefined {
  const isCpu = isRecord(cost) && 'cpu' in cost;
  const isWait = isRecord(cost) && 'wait' in cost;
  const draw = parseDraw(isCpu ? cost.cpu : isWait ? cost.wait : cost);
  if (!draw) return undefined;
  return isCpu ? { cpu: draw } : { wait: draw };
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
