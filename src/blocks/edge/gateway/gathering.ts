/** Asks the parts of a page, all at once, and answers when the last has come or a required one has not. */
import type { Host } from '../../../host/host.ts';
import type { Outcome } from '../../../path/caller.ts';
import type { Way } from '../../../path/directory.ts';
import { merged, type PartOutcome } from './aggregate.ts';
import type { AggregateConfig, PartConfig } from './config.ts';
import { withoutHeaders } from './headers.ts';
import { filled } from './router.ts';
import { type Parts, plain, type Visit } from './visit.ts';

/** What is of the one request and not of those that it becomes. */
const ofTheWhole: ReadonlySet<string> = new Set([
  'accept',
  'accept-encoding',
  'content-length',
  'content-type',
  'if-match',
  'if-modified-since',
  'if-none-match',
  'if-range',
  'if-unmodified-since',
  'range',
]);

/** What it returns gives all of them up. */
export function gather(
  host: Host,
  visit: Visit,
  { parts, shape }: AggregateConfig,
  callerTo: (service: string) => Way,
  failure: (outcome: Outcome & { ok: false }) => Parts,
  done: (reply: Parts) => void,
): () => void {
  const { request, startedAt } = visit;
  const { ip, session, timeoutUs } = request;
  const params = visit.match?.params ?? {};
  const search = visit.match?.place.search ?? '';
  const headers = [...withoutHeaders(visit.headers, ofTheWhole), 'accept', 'application/json'];
  const latestAt = timeoutUs === undefined ? Number.POSITIVE_INFINITY : startedAt + timeoutUs;
  const outcomes = new Map<string, PartOutcome>();
  const open = new Set<() => void>();
  let isOver = false;

  function giveUp(): void {
    isOver = true;
    for (const end of open) end();
    open.clear();
  }

  function settle(part: PartConfig, outcome: Outcome): void {
    const read = readPart(outcome);
    if (!read.ok && part.required) {
      giveUp();
      return done(outcome.ok ? refusalOf(part, outcome.reply.status) : failure(outcome));
    }
    outcomes.set(part.name, read);
    if (outcomes.size < parts.length) return;
    isOver = true;
    done(pageOf(parts, shape, outcomes));
  }

  for (const part of parts) {
    if (isOver) break;
    const url = `http://${part.service}${filled(part.path, params)}${search}`;
    const asked = { method: 'GET', url, headers, body: null, ip, session };
    const deadlineAt = Math.min(latestAt, host.now() + part.timeoutUs);
    let isSettled = false;
    let end: (() => void) | undefined;
    end = callerTo(part.service).call(asked, deadlineAt, (outcome) => {
      isSettled = true;
      // Not there yet when it was answered at once: refused by a breaker, or with what was kept.
      if (end) open.delete(end);
      if (!isOver) settle(part, outcome);
    });
    if (!isSettled) open.add(end);
  }
  return giveUp;
}

function pageOf(
  parts: readonly PartConfig[],
  shape: AggregateConfig['shape'],
  outcomes: ReadonlyMap<string, PartOutcome>,
): Parts {
  // In the order of the design, not of arrival: the same page is the same text.
  const inOrder = new Map(parts.map(({ name }) => [name, outcomes.get(name)!]));
  const { body, missing } = merged(shape, inOrder);
  const headers = ['content-type', 'application/json'];
  // What is not whole must not be kept for the next.
  if (missing.length > 0)
    headers.push('x-missing', missing.join(', '), 'cache-control', 'no-store');
  return { status: 200, headers, body };
}

function readPart(outcome: Outcome): PartOutcome {
  if (!outcome.ok) return { ok: false, why: outcome.why };
  const { status, body, inlet } = outcome.reply;
  // A page is put together of wholes.
  inlet?.stream.reset();
  if (status < 200 || status > 299) return { ok: false, why: `status ${status}` };
  // What is modelled has no content: there is a part, and nothing in it.
  if (body === null || body.length === 0) return { ok: true, value: null };
  try {
    const text = typeof body === 'string' ? body : new TextDecoder().decode(body);
    return { ok: true, value: JSON.parse(text) as unknown };
  } catch {
    return { ok: false, why: 'not JSON' };
  }
}

/** A page whose main part is not there is not there either; whatever else it says is an inner matter. */
function refusalOf({ name }: PartConfig, status: number): Parts {
  const isTold = status === 401 || status === 403 || status === 404 || status === 410;
  return plain(isTold ? status : 502, `without ${name} there is no page`);
}
