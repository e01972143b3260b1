/** Questions about single requests and messages, for a worker: each is one more run of the same seed. */
import type { System } from '../../design/system.ts';
import { resolve } from '../options.ts';
import type { MessageQuery, MessageWindow, RequestSample, Waterfall } from '../traced.ts';
import { traceMessages, traceRequests, traceWaterfall } from '../tracing.ts';
import { followHere } from './here.ts';
import { Reins } from './reins.ts';
import type { SimulateTask } from './tasks.ts';

export interface TraceTask
  extends Omit<SimulateTask, 'kind' | 'check' | 'trace' | 'frameCountMax'> {
  readonly kind: 'trace';
  readonly question: Question;
}

export type Question =
  | { readonly ask: 'requests' }
  | { readonly ask: 'waterfall'; readonly index: number }
  | { readonly ask: 'messages'; readonly query: MessageQuery };

export type Traced = RequestSample | Waterfall | MessageWindow;

/** `outside` evaluates it in the name of no node. */
export function traceHere(
  task: TraceTask,
  evaluate: () => System,
  outside: (evaluate: () => System) => System,
): Promise<Traced> {
  const { seed, untilUs, question } = task;
  const reins = new Reins(task.reins);
  const shouldStop = (): boolean => reins.isStopped;
  return followHere(
    () => {
      const whole = outside(evaluate);
      const design = task.ownFaults ? whole : { ...whole, faults: [] };
      return { design, afresh: evaluate, seed, untilUs, ...resolve(design, task), shouldStop };
    },
    (options) => {
      switch (question.ask) {
        case 'requests':
          return traceRequests(options);
        case 'waterfall':
          return traceWaterfall(options, question.index);
        case 'messages':
          return traceMessages(options, question.query);
      }
    },
  );
}
