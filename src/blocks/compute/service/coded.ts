/**
 * A service with the user's own handler: each request gets a web-standard `Request` and an `env`
 * of handles bound to that request. The only place in this block where code is asynchronous.
 */
import type {
  Consumer,
  Declaration,
  ProgramCode,
  RequestContext,
} from '../../../host/declaration.ts';
import type { Host } from '../../../host/host.ts';
import { isUpgrade } from '../../../host/web.ts';
import { assert } from '../../../kit/assert.ts';
import { Unavailable } from '../../../kit/errors.ts';
import { fromWebRequest, toReplyParts } from '../../../parts/web.ts';
import { urgencyOf } from '../../../path/headers.ts';
import { charging } from './charge.ts';
import type { InstanceConfig } from './config.ts';
import type { Job } from './jobs.ts';
import type { ReplyParts, Worker } from './node.ts';

export type AnyFetch = (request: Request, env: object) => Response | Promise<Response>;
export type AnyConsumer = (batch: never, env: object) => void | Promise<void>;

/** What the plan cannot carry. */
export interface ServiceCode {
  readonly releases: Readonly<Record<string, { readonly fetch: AnyFetch | undefined }>>;
  readonly on: Readonly<Record<string, AnyConsumer>>;
}

const noHandler: ReplyParts = { status: 404, headers: [], body: 'this service serves no requests' };

export function coded(
  host: Host,
  config: InstanceConfig,
  code: ProgramCode,
  user: ServiceCode,
): Worker {
  const envFor = environment(code);
  consume(host, config, code, user, envFor);
  const handler = user.releases[config.release]?.fetch;
  if (!handler) return (_job, done) => done(noHandler);

  return (job, done) => {
    const { request } = job;
    code.run(`${request.method} ${request.url}`, () =>
      serve(handler, job, envFor(contextOf(job)), done),
    );
  };
}

/** What calls made for a request take over from it. */
function contextOf({ request, deadlineAt: until }: Job): RequestContext {
  // What listeners of a socket do later has nothing to do with the wait for its beginning.
  const deadlineAt = isUpgrade(request) ? undefined : until;
  return { session: request.session, deadlineAt, urgency: urgencyOf(request.headers) };
}

/** One function and one wait, where a handler lets it: each costs as much as a message. */
async function serve(
  handler: AnyFetch,
  job: Job,
  env: object,
  done: (reply: ReplyParts) => void,
): Promise<void> {
  let reply: ReplyParts | Promise<ReplyParts>;
  try {
    job.served = fromWebRequest(job.request);
    reply = toReplyParts(await handler(job.served, env));
    if (reply instanceof Promise) reply = await reply;
  } catch (failure) {
    reply =
      failure instanceof Unavailable
        ? await toReplyParts(failure.getResponse())
        : internalError(failure);
  }
  done(reply);
}

function internalError(failure: unknown): ReplyParts {
  console.error(failure);
  const headers = ['content-type', 'text/plain;charset=UTF-8'];
  return { status: 500, headers, body: 'internal error' };
}

function consume(
  host: Host,
  config: InstanceConfig,
  code: ProgramCode,
  user: ServiceCode,
  envFor: (context: RequestContext) => object,
): void {
  for (const [binding, port] of Object.entries(config.consumes)) {
    const handle = user.on[binding];
    const opened = code.open.get(port);
    assert(handle && opened, `a consumer of ${binding} has a handler and a program`);
    const errors = host.meter.counter('consumer errors');
    const consumer = opened.api as Consumer;
    const charge = charging(host, config.cost, `cost of ${binding}`);
    consumer.start((batch: readonly unknown[], done) => {
      const begin = (): void =>
        code.run(`on ${binding}`, async () => {
          try {
            await handle(batch as never, envFor({}));
            done();
          } catch (failure) {
            errors.add();
            if (!(failure instanceof Unavailable)) console.error(failure);
            done(failure);
          }
        });
      if (charge) charge(batch.length, begin);
      else begin();
    });
  }
}

/** A plain object of handles, made for each request: it can be spread, picked from and passed on. */
export function environment(code: ProgramCode): (context: RequestContext) => object {
  const makers = Object.entries(code.declaration.binds).map(
    ([name, declaration]) => [name, handleMaker(code, declaration)] as const,
  );
  return (context) => {
    const env: Record<string, unknown> = {};
    for (const [name, make] of makers) env[name] = make(context);
    return env;
  };
}

function handleMaker(
  code: ProgramCode,
  declaration: Declaration,
): (context: RequestContext) => unknown {
  const opened = code.open.get(declaration.name);
  const { handle } = declaration.block;
  assert(opened && handle, `${declaration.name} can be bound and is open`);
  const make = handle as (api: unknown, context: RequestContext, of: Declaration) => unknown;
  return (context) => make(opened.api, context, declaration);
}
