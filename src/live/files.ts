/** Files on this machine: names for what has names in a plan, and writing what must last. */
import { closeSync, fsyncSync, openSync, renameSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
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

export function writeAll(fd: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at, bytes.length - at);
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
