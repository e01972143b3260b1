/**
 * What single requests and messages did in a run, found by running it once more with a tracer. The
 * same seed is the same run, so nothing has to be kept of the first, and what is asked for decides how
 * far the second goes. Synchronous, as `runSimulation`.
 */
import type { Micros } from '../host/host.ts';
import { LoadpathError, type Problem, refuse } from '../kit/errors.ts';
import { Causality, type Continuations, type Tracer } from '../sim/causality.ts';
import { continuations } from '../sim/node/continuations.ts';
import { type SimulationOptions, traceSimulation } from './simulation.ts';
import type { MessageQuery, MessageWindow, RequestSample, Waterfall } from './traced.ts';
import { MessageTracer } from './traces/messages.ts';
import { RequestTracer } from './traces/requests.ts';
import { WaterfallTracer } from './traces/waterfall.ts';
import { Words } from './traces/words.ts';

/** A tracer of one run. */
interface RunTracer extends Tracer {
  begins(at: Micros): void;
  /** All that was asked for is known: the run need not go on. */
  isOver(at: Micros): boolean;
}

/** The slowest requests of a whole run, then those that failed. */
export function traceRequests(options: SimulationOptions): RequestSample {
  const tracer = new RequestTracer(wordsOf(options));
  follow(options, tracer);
  return tracer.sample();
}

export function traceWaterfall(options: SimulationOptions, index: number): Waterfall {
  const tracer = new WaterfallTracer(wordsOf(options), index);
  const code = continuations();
  try {
    follow(options, tracer, code);
  } finally {
    code.end();
  }
  const waterfall = tracer.waterfall();
  if (waterfall) return waterfall;
  const { count } = tracer;
  const there = count === 0 ? 'none' : `${count}, numbered from 0 to ${count - 1}`;
  throw new LoadpathError(
    'bad-option',
    `this run has no request number ${index}: there are ${there}`,
  );
}

export function traceMessages(options: SimulationOptions, query: MessageQuery): MessageWindow {
  const words = wordsOf(options);
  checkNames(words, query);
  const tracer = new MessageTracer(words, query);
  follow(options, tracer);
  return tracer.window();
}

/** A name that nobody has would give an empty picture, which looks like silence. */
function checkNames({ members }: Words, { nodes = [], blocks = [] }: MessageQuery): void {
  const ids = new Set([...members.values()].flat());
  const there = [...members.keys()].join(', ');
  const strangers = nodes.filter((name) => !members.has(name) && !ids.has(name));
  const problems: Problem[] = [
    ...strangers.map((name) => ({
      at: name,
      what: `no node or block is called that; the blocks are ${there}`,
    })),
    ...blocks
      .filter((name) => !members.has(name))
      .map((name) => ({ at: name, what: `no block is called that; there are ${there}` })),
  ];
  if (problems.length > 0) refuse('bad-option', 'messages', problems);
}

function wordsOf({ design, load }: SimulationOptions): Words {
  return new Words(design, load);
}

function follow(options: SimulationOptions, tracer: RunTracer, code?: Continuations): void {
  const { shouldStop } = options;
  const causality = new Causality(tracer, code);
  traceSimulation({
    ...options,
    causality,
    onLoad: (at) => tracer.begins(at),
    shouldStop: (now) => tracer.isOver(now) || shouldStop?.(now) === true,
  });
}
