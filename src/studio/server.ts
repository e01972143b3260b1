/**
 * Studio over HTTP: the page, and the calls of protocol.ts behind the gate. What the calls do is
 * the business of whoever hands in the routes: a design that is simulated here, or a live system.
 */
import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { LoadpathError } from '../kit/errors.ts';
import { errorCode } from '../live/files.ts';
import { portTaken } from '../live/listening.ts';
import { barred } from './gate.ts';
import { pageAssets, safetyHeaders } from './page.ts';
import { problemViews } from './problems.ts';
import type { Refusal } from './protocol.ts';
import { find, type Routes } from './routes.ts';

/** A design of data with everything on the drawing board is far below it. */
const bodyMaxBytes = 1_000_000;
const bodyMaxMs = 10_000;

/** No for the caller, with the status that says whose fault it is. */
export class Refused extends Error {
  override readonly name = 'Refused';
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

export function newToken(): string {
  return randomBytes(16).toString('base64url');
}

/** Answers one request; for a server of one's own, such as the admin port of a live system. */
export type Answering = (request: IncomingMessage, response: ServerResponse) => void;

/** `port` is asked for each time, since a server knows its own only once it listens. */
export function answering(routes: Routes, token: string, port: () => number): Answering {
  const assets = pageAssets();
  return (request, response) => {
    for (const [name, value] of Object.entries(safetyHeaders)) response.setHeader(name, value);
    answer(request, response).catch((failure: unknown) => {
      const { status, refusal } = refusalOf(failure);
      if (response.headersSent) response.destroy();
      else sendJson(response, status, refusal);
    });
  };

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = 'GET', headers } = request;
    const [path = '/', search = ''] = (request.url ?? '/').split('?', 2);
    const query = new URLSearchParams(search);
    const no = barred(
      { method, path, headers, token: query.get('token') ?? undefined },
      { port: port(), token },
    );
    if (no) throw new Refused(no.status, no.code, no.message);
    if (!path.startsWith('/api/')) return sendAsset(path, method, response);
    const found = find(routes, method === 'HEAD' ? 'GET' : method, path);
    if (found === 'unknown') throw new Refused(404, 'unknown', `There is no ${path} here.`);
    if (found === 'method') throw new Refused(405, 'bad-method', `${path} has no ${method}.`);
    const body = method === 'POST' || method === 'PUT' ? await bodyOf(request) : undefined;
    const value = await found.handler({ request, response, parts: found.parts, query, body });
    if (value !== undefined) sendJson(response, 200, value);
  }

  function sendAsset(path: string, method: string, response: ServerResponse): void {
    const asset = assets.get(path);
    if (!asset) {
      const message =
        assets.size === 0
          ? 'Studio’s page is not built: run npm run build.'
          : `There is no ${path} here.`;
      throw new Refused(404, 'unknown', message);
    }
    response.writeHead(200, { ...asset.headers, 'content-length': asset.body.length });
    response.end(method === 'HEAD' ? undefined : asset.body);
  }
}

export interface StudioServer {
  readonly port: number;
  /** With the token: who has it may do everything. */
  readonly url: string;
  close(): Promise<void>;
}

/** `port` 0: any free one. Throws `LoadpathError('port-taken')`. */
export async function startServer(
  routes: Routes,
  { port = 0, token = newToken() }: { readonly port?: number; readonly token?: string } = {},
): Promise<StudioServer> {
  let bound = port;
  const server = createServer(
    { requestTimeout: 30_000, headersTimeout: 10_000 },
    answering(routes, token, () => bound),
  );
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => {
      reject(errorCode(error) === 'EADDRINUSE' ? portTaken(port) : error);
    });
    server.listen({ host: '127.0.0.1', port }, () => {
      const address = server.address();
      if (address !== null && typeof address !== 'string') bound = address.port;
      resolve();
    });
  });
  return {
    port: bound,
    url: addressOf(bound, token),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

export function addressOf(port: number, token: string): string {
  return `http://127.0.0.1:${port}/?token=${token}`;
}

function sendJson(response: ServerResponse, status: number, value: unknown): void {
  const text = Buffer.from(JSON.stringify(value));
  response.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': text.length,
    'cache-control': 'no-store',
  });
  response.end(text);
}

function bodyOf(request: IncomingMessage): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const pieces: Buffer[] = [];
    let length = 0;
    const late = setTimeout(() => {
      reject(new Refused(408, 'slow-body', 'The body did not arrive in time.'));
    }, bodyMaxMs);
    request.on('data', (piece: Buffer) => {
      length += piece.length;
      if (length <= bodyMaxBytes) pieces.push(piece);
      // The rest is read and dropped, so that the answer reaches who is still sending.
      else reject(new Refused(413, 'too-large', `A body may have ${bodyMaxBytes} bytes at most.`));
    });
    request.on('end', () => {
      clearTimeout(late);
      if (length === 0) return resolve(undefined);
      try {
        resolve(JSON.parse(Buffer.concat(pieces).toString('utf8')));
      } catch {
        reject(new Refused(400, 'bad-json', 'The body is not JSON.'));
      }
    });
    request.on('close', () => {
      clearTimeout(late);
      reject(new Refused(400, 'broken-off', 'The body broke off.'));
    });
  });
}

/** A mistake is the caller's, and told whole; anything else is ours. */
export function refusalOf(failure: unknown): {
  readonly status: number;
  readonly refusal: Refusal;
} {
  if (failure instanceof Refused) {
    const { status, code, message } = failure;
    return { status, refusal: { code, message, problems: [] } };
  }
  if (failure instanceof LoadpathError) {
    const { code, message } = failure;
    return { status: 422, refusal: { code, message, problems: problemViews(failure) } };
  }
  const message = failure instanceof Error ? failure.message : String(failure);
  return { status: 500, refusal: { code: 'unexpected', message, problems: [] } };
}
