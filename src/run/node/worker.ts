/** Entry of a simulation worker thread: loads a bundled design once, then does tasks as they come. */
import { parentPort } from 'node:worker_threads';
import type { System } from '../../design/system.ts';
import type { FaultPlan } from '../../host/fault.ts';
import type { Micros } from '../../host/host.ts';
import { LoadpathError } from '../../kit/errors.ts';
import { attemptedOf, attemptOf } from '../attempt.ts';
import { frameLengthUs } from '../framer.ts';
import { lookAt } from '../look.ts';
import { designOf, resolve } from '../options.ts';
import { Progressing } from '../progress.ts';
import type { Report } from '../report.ts';
import type { FrameOptions, SimulationOutcome } from '../simulation.ts';
import type { DesignBundle } from './bundle.ts';
import { Comparison } from './comparison.ts';
import { simulateHere, simulateOnly } from './here.ts';
import { loadBundle } from './load.ts';
import { Reins } from './reins.ts';
import { Speaker } from './speaker.ts';
import type { Answer, Done, LoadOrder, SimulateTask, Task, Tried, TrySeedTask } from './tasks.ts';
import { traceHere } from './traced.ts';

let hand: (bundle: DesignBundle) => void;
const loading = new Promise<DesignBundle>((resolve) => {
  hand = resolve;
}).then(loadBundle);
// Reported by the first task, which waits for it.
loading.catch(() => {});
// Before any package of the user's is imported: one that keeps `Date.now` must keep the virtual one.
simulateOnly();

function say(answer: Answer): void {
  parentPort?.postMessage(answer);
}

parentPort?.on('message', (task: LoadOrder | Task) => {
  if (task.kind === 'load') return hand(task.bundle);
  perform(task).then(
    (value) => say({ type: 'done', value }),
    (failure: unknown) => say(failureAnswer(failure)),
  );
});

async function perform(task: Task): Promise<Done> {
  const loaded = await loading;
  const evaluate = (): System => designOf(loaded, task);
  switch (task.kind) {
    case 'look':
      return lookAt(evaluate());
    case 'simulate':
      return noteStop(
        await (task.check ? checkTwice : simulateOnce)(task, evaluate),
        new Reins(task.reins),
      );
    case 'trace':
      return traceHere(task, evaluate);
    case 'try':
      return trySeed(task, evaluate);
  }
}

function simulateTask(
  task: SimulateTask,
  evaluate: () => System,
  comparison?: Comparison,
): Promise<SimulationOutcome> {
  const { seed, check, untilUs, probe } = task;
  const speaker = new Speaker(say, new Reins(task.reins));
  return simulateHere(() => {
    const whole = evaluate();
    const design = task.ownFaults ? whole : { ...whole, faults: [] };
    const asked = resolve(design, task);
    const progressing = new Progressing(asked.forUs);
    return {
      design,
      afresh: evaluate,
      seed,
      check,
      untilUs,
      probe,
      ...asked,
      onEvent: (event) => speaker.say({ type: 'event', event }),
      onSecond: ({ at, window }) =>
        speaker.say({ type: 'progress', progress: progressing.after(at, window) }),
      onStep: comparison && ((index, hash, describe) => comparison.step(index, hash, describe)),
      onTrace: task.trace ? (line) => speaker.trace(line) : undefined,
      frames: filmed(task, asked.forUs, speaker),
      shouldStop: () => speaker.hold(),
    };
  }).finally(() => speaker.flush());
}

function filmed(
  { frameCountMax, untilUs = Number.POSITIVE_INFINITY }: SimulateTask,
  forUs: Micros,
  speaker: Speaker,
): FrameOptions | undefined {
  if (frameCountMax === undefined) return undefined;
  return {
    frameUs: frameLengthUs(Math.min(forUs, untilUs), frameCountMax),
    onLayout: (layout) => speaker.say({ type: 'layout', layout }),
    onFrame: (frame) => speaker.frame(frame),
  };
}

async function simulateOnce(task: SimulateTask, evaluate: () => System): Promise<Report> {
  return (await simulateTask(task, evaluate)).report;
}

/** A run that somebody ended is shorter than it says elsewhere: its figures are to be read so. */
function noteStop(report: Report, reins: Reins): Report {
  if (!reins.isStopped) return report;
  const note = `stopped early, after ${report.simulatedSeconds.toFixed(1)} s: the load was to go on`;
  return { ...report, notes: [...report.notes, note] };
}

/** Throws `LoadpathError` ('not-deterministic') naming the first step in which two runs differ. */
async function checkTwice(task: SimulateTask, evaluate: () => System): Promise<Report> {
  const comparison = new Comparison();
  const first = await simulateTask(task, evaluate, comparison);
  comparison.again();
  await simulateTask({ ...task, trace: false, frameCountMax: undefined }, evaluate, comparison);
  comparison.end();
  return {
    ...first.report,
    notes: [...first.report.notes, `ran twice: ${comparison.count} steps, all the same`],
  };
}

async function trySeed(task: TrySeedTask, evaluate: () => System): Promise<Tried> {
  let faults: FaultPlan = [];
  const { report } = await simulateHere(() => {
    const options = attemptOf(evaluate(), task);
    faults = options.faults;
    return { ...options, afresh: evaluate };
  });
  return attemptedOf(report, faults);
}

function failureAnswer(failure: unknown): Answer {
  const isOurs = failure instanceof LoadpathError;
  const error = failure instanceof Error ? failure : new Error(String(failure));
  return {
    type: 'failed',
    message: error.message,
    code: isOurs ? failure.code : undefined,
    problems: isOurs ? failure.problems : [],
    stack: isOurs ? undefined : error.stack,
  };
}
