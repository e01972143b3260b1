/** Files on this machine: names for what has names in a plan, and writing what must last. */
import {
  closeSync,
  fstatSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  writeSync,
} from 'node:fs';
import { dirname, resolve } from 'node:path';
import { LoadpathError } from '../kit/errors.ts';

/** `links/2` as a folder or file name: `links+2`. No block's name may hold a plus. */
export function fileNameOf(node: string): string {
  return node.replaceAll('/', '+');
}

export function nodeOfFileName(name: string): string {
  return name.replaceAll('+', '/');
}

export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string'
    ? error.code
    : undefined;
}

export function isFull(error: unknown): boolean {
  const code = errorCode(error);
  return code === 'ENOSPC' || code === 'EDQUOT';
}

/** What a user is told when the machine refuses a file while nothing runs yet. */
export function fileTrouble(error: unknown, doing: string, path: string): LoadpathError {
  if (error instanceof LoadpathError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return isFull(error)
    ? new LoadpathError(
        'disk-full',
        `The disk is full while ${doing} (${path}). Free some space, or choose another data directory.`,
        { cause: error },
      )
    : new LoadpathError('node-failed', `Failed while ${doing} (${path}): ${message}`, {
        cause: error,
      });
}

/** Node and some systems read or write less than 2 GiB at once. */
const pieceMaxBytes = 2 ** 30;

export function readAll(path: string, pieceBytes = pieceMaxBytes): Uint8Array {
  const fd = openSync(path, 'r');
  try {
    const bytes = new Uint8Array(fstatSync(fd).size);
    let at = 0;
    while (at < bytes.length) {
      const count = readSync(fd, bytes, at, Math.min(pieceBytes, bytes.length - at), at);
      if (count === 0) break;
      at += count;
    }
    return bytes.subarray(0, at);
  } finally {
    closeSync(fd);
  }
}

export function writeAll(fd: number, bytes: Uint8Array, pieceBytes = pieceMaxBytes): void {
  for (let at = 0; at < bytes.length; ) {
    at += writeSync(fd, bytes, at, Math.min(pieceBytes, bytes.length - at));
  }
}

/** When it returns the file holds `text`, and after a crash on the way it holds that or what it held before. */
export function replaceFile(path: string, text: string): void {
  const tmp = `${path}.tmp~`;
  const fd = openSync(tmp, 'w');
  try {
    writeAll(fd, new TextEncoder().encode(text));
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  renameSync(tmp, path);
  syncFolderNow(dirname(path));
}

/** Makes a folder, and those above it that are missing, durably: a synced file in a folder that is gone is gone. */
export function makeFolder(path: string): void {
  const first = mkdirSync(path, { recursive: true });
  if (first === undefined) return;
  const top = dirname(resolve(first));
  // The name of a folder stands in the one above it.
  let folder = resolve(path);
  do {
    folder = dirname(folder);
    syncFolderNow(folder);
  } while (folder !== top && folder !== dirname(folder));
}

/** What was made, renamed or removed in it is durable. */
export function syncFolderNow(path: string): void {
  // Windows has no such thing, and its file system does not need it.
  if (process.platform === 'win32') return;
  const fd = openSync(path, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
