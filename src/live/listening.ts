/** How the doors of a node come to listen: what a port that cannot be had is called, and who may share one. */
import type { Server } from 'node:net';
import type { LinesPlan } from '../host/plan.ts';
import { LoadpathError } from '../kit/errors.ts';
import { errorCode } from './files.ts';

export interface Place {
  /** 0 for any free port. */
  readonly port: number;
  /** Default 127.0.0.1. */
  readonly host?: string | undefined;
  /** Other processes listen there, too. */
  readonly lines?: LinesPlan | undefined;
}

/** The port. Rejects with `LoadpathError('port-taken')` when another process listens there. */
export function listenAt(
  server: Server,
  { port, host = '127.0.0.1', lines }: Place,
): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => {
      const code = errorCode(error);
      const isTaken = code === 'EADDRINUSE' || code === 'EACCES';
      reject(isTaken ? portTaken(port, code === 'EACCES') : error);
    });
    const isOurs = lines?.how === 'sharded' && kernelShards();
    // Types of Node 20 do not know of `reusePort`.
    const place = {
      host,
      port,
      backlog: lines?.backlog ?? 1_024,
      ...(isOurs ? { reusePort: true } : {}),
    };
    server.listen(place, () => {
      const address = server.address();
      resolve(address !== null && typeof address !== 'string' ? address.port : port);
    });
  });
}

/**
 * Whether processes can listen on one port by themselves, each with a line of its own in the kernel
 * (SO_REUSEPORT): `reusePort`, since Node 22.12 and 23.1. On Linux, where connections are then spread.
 */
export function kernelShards(
  version: string = process.versions.node,
  platform: string = process.platform,
): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const isNew = major > 23 || (major === 23 && minor >= 1) || (major === 22 && minor >= 12);
  return isNew && platform === 'linux';
}

export function portTaken(port: number, forbidden = false): LoadpathError {
  return new LoadpathError(
    'port-taken',
    forbidden
      ? `This user may not listen on port ${port}. Choose a port above 1023.`
      : `Port ${port} is taken by another process. Stop that process, or choose another port with --port.`,
  );
}
