/** The thread that a lab runs in: it measures, and says what came out. */
import { parentPort, workerData } from 'node:worker_threads';
import { LoadpathError } from '../../kit/errors.ts';
import { type LabAnswer, type LabTask, loadLab } from './labs.ts';

const { path, isFull } = workerData as LabTask;

async function answer(): Promise<LabAnswer> {
  try {
    const lab = await loadLab(path);
    return { type: 'done', record: await lab.run(isFull) };
  } catch (failure) {
    const isKnown = failure instanceof LoadpathError;
    const { message, stack } = failure instanceof Error ? failure : new Error(String(failure));
    return { type: 'failed', message, code: isKnown ? failure.code : undefined, stack };
  }
}

void answer().then((told) => parentPort!.postMessage(told));
