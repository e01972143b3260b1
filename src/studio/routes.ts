/** Which call goes where: `POST /api/runs/:id/stop`. */
import type { IncomingMessage, ServerResponse } from 'node:http';

export interface Call {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** What stood for `:id`, by name. */
  readonly parts: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** The parsed body; undefined without one. */
  readonly body: unknown;
}

/** What it returns is sent as JSON; undefined: it has answered by itself. */
export type Handler = (call: Call) => unknown;

/** `GET /api/runs/:id` to what does it. */
export type Routes = Readonly<Record<string, Handler>>;

export interface Found {
  readonly handler: Handler;
  readonly parts: Readonly<Record<string, string>>;
}

/** `unknown`: no such path. `method`: the path is there, but not for this method. */
export function find(routes: Routes, method: string, path: string): Found | 'unknown' | 'method' {
  const asked = path.split('/');
  let isKnown = false;
  for (const [route, handler] of Object.entries(routes)) {
    const [wanted = '', pattern = ''] = route.split(' ');
    const parts = matched(pattern.split('/'), asked);
    if (!parts) continue;
    if (wanted === method) return { handler, parts };
    isKnown = true;
  }
  return isKnown ? 'method' : 'unknown';
}

function matched(
  pattern: readonly string[],
  asked: readonly string[],
): Record<string, string> | undefined {
  if (pattern.length !== asked.length) return undefined;
  const parts: Record<string, string> = {};
  for (const [index, wanted] of pattern.entries()) {
    const given = asked[index]!;
    if (wanted.startsWith(':')) parts[wanted.slice(1)] = given;
    else if (wanted !== given) return undefined;
  }
  return parts;
}
