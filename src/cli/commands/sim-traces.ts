/** `sim --slowest` and `sim --messages`: single requests and messages of a simulated run. */
import type { Command } from 'commander';
import type { Runner, SimulateOptions } from '../../run/api.ts';
import type { MessageQuery } from '../../run/traced.ts';
import { renderMessages, sequenceDiagram } from '../messages.ts';
import type { Given } from '../options.ts';
import { outStyle, print, printJson, screen } from '../session.ts';
import { renderWaterfall } from '../waterfall.ts';

export interface TracesGiven {
  /** How many of the slowest requests to show after the report. */
  readonly slowest: number | undefined;
  /** Instead of a report. */
  readonly query: MessageQuery | undefined;
  readonly mermaid: boolean;
}

/** What a person reads of a list, and what a diagram can hold. */
const linesMax = 1_000;
const arrowsMax = 150;
const windowUs = 100_000;

export function withTraceOptions(command: Command): Command {
  return command
    .option('--slowest <n>', 'after the report, the way of the n slowest requests hop by hop')
    .option('--messages <nodes>', 'instead of a report, what these say to each other: api/0,links')
    .option('--from <time>', 'with --messages: from this instant of the load (default: its start)')
    .option('--to <time>', 'with --messages: up to this instant (default: 100ms after --from)')
    .option('--mermaid', 'with --messages: as a Mermaid sequence diagram');
}

export function tracesGiven(given: Given): TracesGiven {
  const slowest = given.whole('slowest', 1, 200);
  const nodes = given
    .text('messages')
    ?.split(',')
    .map((name) => name.trim());
  const fromUs = given.duration('from', '10s') ?? 0;
  const toUs = given.duration('to', '10100ms') ?? fromUs + windowUs;
  const mermaid = given.flag('mermaid');
  if (!nodes) {
    for (const name of ['from', 'to', 'mermaid'].filter((one) => given.has(one))) {
      given.problem(name, 'says which messages to show: name their nodes with --messages');
    }
  } else if (toUs <= fromUs) given.problem('to', 'must be later than --from');
  if (nodes && slowest !== undefined) given.problem('slowest', 'has no use with --messages');
  if (slowest !== undefined && given.flag('json'))
    given.problem('slowest', 'has no use with --json');
  if (mermaid && given.flag('json')) given.problem('mermaid', 'has no use with --json');
  const maxCount = mermaid ? arrowsMax : linesMax;
  return { slowest, query: nodes && { nodes, fromUs, toUs, maxCount }, mermaid };
}

/** Each is a run of its own; the design is loaded once for all. */
export async function showSlowest(
  runner: Runner,
  design: string,
  options: SimulateOptions,
  count: number,
  signal: AbortSignal,
): Promise<void> {
  const simulator = runner.openSimulator(design, options);
  try {
    screen.status('looking for the slowest requests');
    const { slowest, failed } = await simulator.requests(options, signal);
    const ended = [...slowest, ...failed].filter(({ latencyUs }) => latencyUs !== null);
    const shownFirst = ended.sort((a, b) => b.latencyUs! - a.latencyUs!).slice(0, count);
    const shown: string[] = [];
    for (const { index } of shownFirst) {
      if (signal.aborted) return;
      screen.status(`following request #${index}`);
      shown.push(renderWaterfall(await simulator.waterfall(options, index, signal), outStyle));
    }
    screen.clear();
    print(`\n${outStyle.strong('Slowest requests')}\n\n${shown.join('\n\n')}`);
  } finally {
    await simulator.close();
  }
}

export async function showMessages(
  runner: Runner,
  design: string,
  options: SimulateOptions,
  query: MessageQuery,
  shape: { readonly json: boolean; readonly mermaid: boolean },
  signal: AbortSignal,
): Promise<void> {
  const simulator = runner.openSimulator(design, options);
  try {
    screen.status('listening to messages');
    const window = await simulator.messages(options, query, signal);
    screen.clear();
    if (shape.json) printJson(window);
    else print(shape.mermaid ? sequenceDiagram(window) : renderMessages(window));
  } finally {
    await simulator.close();
  }
}
