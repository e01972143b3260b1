/**
 * One tab that listens to a log, as server-sent events. The tab has a place in the log and takes
 * from there what its socket will hold: one that does not read costs nothing, is hung up on after a
 * while, and goes on from its `Last-Event-ID` when it comes back.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { EventLog } from './event-log.ts';

const aliveEveryMs = 15_000;
/** Written at once at most; beyond it the loop turns, so that others have their turn. */
const pieceMax = 256 * 1_024;

export interface StreamLimits {
  /** How long a tab may leave what was sent unread. */
  readonly stallMs: number;
}

export function streamLog<Events extends object>(
  log: EventLog<Events>,
  request: IncomingMessage,
  response: ServerResponse,
  limits: StreamLimits = { stallMs: 20_000 },
): void {
  let place = Number(request.headers['last-event-id'] ?? 0);
  if (!Number.isSafeInteger(place) || place < 0) place = 0;
  let stalled: NodeJS.Timeout | undefined;
  let scheduled = false;

  if (log.ended && log.after(place) === undefined) {
    // A browser that is told so does not come back.
    response.writeHead(204, { 'cache-control': 'no-store' });
    response.end();
    return;
  }
  response.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
  });
  response.write('retry: 500\n\n');

  const write = (): void => {
    scheduled = false;
    if (stalled !== undefined || response.destroyed || response.writableEnded) return;
    let piece = '';
    let next = log.after(place);
    while (next !== undefined && piece.length < pieceMax) {
      piece += `id: ${next.id}\nevent: ${next.name}\ndata: ${next.data}\n\n`;
      place = next.id;
      next = log.after(place);
    }
    const isTaken = piece === '' || response.write(piece);
    if (next === undefined && log.ended) response.end();
    else if (!isTaken) stalled = setTimeout(() => response.destroy(), limits.stallMs);
    else if (next !== undefined) schedule();
  };
  const schedule = (): void => {
    if (scheduled) return;
    scheduled = true;
    setImmediate(write);
  };
  response.on('drain', () => {
    clearTimeout(stalled);
    stalled = undefined;
    schedule();
  });
  const alive = setInterval(() => {
    if (stalled === undefined) response.write(': alive\n\n');
  }, aliveEveryMs);
  const forget = log.onAdded(schedule);
  response.on('close', () => {
    clearInterval(alive);
    clearTimeout(stalled);
    forget();
  });
  write();
}
