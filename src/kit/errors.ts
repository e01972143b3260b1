/**
 * The one error a user sees. A `code` is stable and listed in docs/errors.md; the
 * message says what happened, where, and what to do. The CLI prints the message
 * without a stack: a user's mistake is not ours to trace.
 */

export type ErrorCode =
  | 'bad-design' // the design file declares something that cannot be
  | 'bad-option' // a command-line or `simulate` option
  | 'bad-input' // a file handed to a command: a history, an access log, a report
  | 'design-not-found'
  | 'design-failed' // the design file does not compile or throws while loading
  | 'real-io' // user code reached for the real world inside a simulation
  | 'stuck' // a simulation cannot make progress
  | 'out-of-memory' // a simulation kept more than its thread may
  | 'port-taken'
  | 'data-locked' // another process uses the data directory
  | 'data-corrupt'
  | 'disk-full'
  | 'node-failed' // a live node will not start
  | 'not-deterministic'; // two runs of one seed differ

/** One thing wrong, and where. `at` names the block, node, option or file. */
export interface Problem {
  readonly at: string;
  readonly what: string;
}

export class LoadpathError extends Error {
  override readonly name = 'LoadpathError';
  readonly code: ErrorCode;
  readonly problems: readonly Problem[];

  constructor(
    code: ErrorCode,
    message: string,
    options: { problems?: readonly Problem[]; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.problems = options.problems ?? [];
  }
}

/** All mistakes at once, so that nobody fixes a file one error at a time. */
export function refuse(code: ErrorCode, subject: string, problems: readonly Problem[]): never {
  const lines = problems.map((problem) => `  ${problem.at}: ${problem.what}`);
  const count = problems.length === 1 ? 'one mistake' : `${problems.length} mistakes`;
  throw new LoadpathError(code, `${subject} has ${count}:\n${lines.join('\n')}`, { problems });
}

/**
 * What a handle throws when a block could not do what it was asked: no quorum, a dead broker, a
 * full disk. `certain` means that it did not happen and will not; otherwise nobody knows, and a
 * retry must be safe to repeat. A service that lets it pass answers 503.
 *
 * Made without a stack: it is an outcome on the way to a client, thrown by the thousand in a fault.
 */
export class Unavailable extends Error {
  override readonly name = 'Unavailable';
  readonly block: string;
  readonly operation: string;
  readonly why: string;
  readonly certain: boolean;

  constructor(block: string, operation: string, why: string, certain: boolean) {
    const limit = Error.stackTraceLimit;
    Error.stackTraceLimit = 0;
    super(`${block}.${operation}: ${why}${certain ? '' : ' (it may have happened)'}`);
    Error.stackTraceLimit = limit;
    this.block = block;
    this.operation = operation;
    this.why = why;
    this.certain = certain;
  }

  /** What a service answers that lets it pass. Hono asks an error for it by this name. */
  getResponse(): Response {
    const headers = { 'content-type': 'text/plain;charset=UTF-8', 'retry-after': '1' };
    return new Response(this.message, { status: 503, headers });
  }
}
