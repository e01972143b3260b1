/** A thread that locks each of the directories it is given, all at the instant at which its rivals do. */
import { parentPort, workerData } from 'node:worker_threads';
import { LoadpathError } from '../../kit/errors.ts';
import { lockDirectory } from '../lock.ts';

const { directories, rivals, arrived } = workerData as {
  readonly directories: readonly string[];
  readonly rivals: number;
  readonly arrived: Int32Array;
};

const won = directories.map((directory, round) => {
  Atomics.add(arrived, 0, 1);
  while (Atomics.load(arrived, 0) < (round + 1) * rivals);
  try {
    lockDirectory(directory);
    return true;
  } catch (error) {
    if (error instanceof LoadpathError && error.code === 'data-locked') return false;
    throw error;
  }
});
parentPort?.postMessage(won);
