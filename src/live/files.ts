/** Names on this machine for what has names in a plan. */
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
