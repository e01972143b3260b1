/**
 * The caller's half of `ids`: turns the numbers of its own ranges into codes, and asks an allocator
 * only for another range, ahead of need. With codes in hand it does not notice a dead allocator.
 */
import type { Client, ProgramCode } from '../../../host/declaration.ts';
import type { Host, Message, Micros, NodeId, Timer } from '../../../host/host.ts';
import { Unavailable } from '../../../kit/errors.ts';
import { hashText } from '../../../kit/random.ts';
import { backoffUs } from '../../../parts/backoff.ts';
import { type Answer, Calls } from '../../../path/calls.ts';
import { Codes } from './codes.ts';
import type { IdsClientConfig, IdsCode } from './config.ts';
import type { IdsReply, IdsRequest } from './messages.ts';
import { Series } from './ranges.ts';
import { Supply } from './supply.ts';

export interface Asking {
  readonly session?: string | undefined;
  readonly deadlineAt?: Micros | undefined;
}

/** What `handle.ts` wraps in promises. */
export interface IdsApi {
  /** A code at once, or undefined when none is at hand: then `next`. */
  nextAtOnce(asking: Asking): string | undefined;
  next(asking: Asking, done: (code: string | Unavailable) => void): void;
  /** Without an owner a new one is made: then only retries within this call count as the same. */
  claim(
    name: string,
    owner: string | undefined,
    asking: Asking,
    done: (granted: boolean | Unavailable) => void,
  ): void;
}

interface Waiter {
  readonly op: number;
  readonly done: (code: string | Unavailable) => void;
  readonly timer: Timer;
}

const retries = { backoffUs: 50_000, backoffMaxUs: 1_000_000 };

export function client(
  host: Host,
  config: IdsClientConfig,
  { declaration }: ProgramCode,
): Client & { readonly api: IdsApi } {
  const errors = host.meter.counter('errors');
  const given = host.meter.counter('codes');
  const block = config.name;
  const calls = new Calls<IdsReply>(host);
  const random = host.random.fork('ids');
  const { secret } = declaration.code as IdsCode;
  const codes = new Codes(config.width, config.scramble ? secret : undefined);
  const supply = new Supply();
  const waiters = new Set<Waiter>();
  const exhausted = new Set<NodeId>();
  /** Where the last range of each allocator ended. */
  const givenTo = new Map<NodeId, number>();
  /** Spreads callers over the allocators; moves on when one fails. */
  let turn = hashText(host.self) >>> 0;
  let ticket = 1;
  let asking = false;
  let failedCount = 0;

  function allocators(): readonly NodeId[] {
    return config.allocators.filter((id) => !exhausted.has(id));
  }

  /** Asks for a range if one is needed, until there is one. */
  function refill(): void {
    if (asking || !supply.low) return;
    const able = allocators();
    if (able.length === 0)
      return failAll('every code of this width has been given out; a greater width has more');
    asking = true;
    const to = { node: able[turn % able.length]!, port: 'ids' };
    const id = calls.open(to, config.attemptTimeoutUs, (answer) => {
      asking = false;
      received(to.node, answer);
    });
    const take: IdsRequest = {
      type: 'take',
      id,
      life: host.life,
      ticket,
      finished: supply.finishedCount,
      given: givenTo.get(to.node) ?? 0,
    };
    host.send(to, take);
  }

  function received(from: NodeId, answer: Answer<IdsReply>): void {
    if (answer.ok && answer.reply.type === 'range') {
      failedCount = 0;
      ticket++;
      givenTo.set(from, answer.reply.to);
      supply.add(answer.reply);
      serve();
      return refill();
    }
    if (answer.ok && answer.reply.type === 'exhausted') {
      exhausted.add(from);
      return refill();
    }
    errors.add();
    turn++;
    failedCount++;
    // With several allocators the next one is asked at once; after all of them, wait.
    if (failedCount % Math.max(1, allocators().length) !== 0) return refill();
    asking = true;
    host.after(backoffUs(retries, failedCount, random), () => {
      asking = false;
      refill();
    });
  }

  function serve(): void {
    for (const waiter of waiters) {
      const number = supply.take();
      if (number === undefined) return;
      waiters.delete(waiter);
      waiter.timer.cancel();
      const code = codes.code(number);
      given.add();
      host.record({ block, phase: 'ok', op: waiter.op, f: 'next', value: code });
      waiter.done(code);
    }
  }

  function fail(waiter: Waiter, why: string): void {
    waiters.delete(waiter);
    waiter.timer.cancel();
    errors.add();
    host.record({ block, phase: 'fail', op: waiter.op, f: 'next', reason: why });
    // Certain: no code was taken for this caller.
    waiter.done(new Unavailable(block, 'next', why, true));
  }

  function failAll(why: string): void {
    for (const waiter of [...waiters]) fail(waiter, why);
  }

  function nextAtOnce({ session }: Asking): string | undefined {
    if (waiters.size > 0) return undefined;
    const number = supply.take();
    if (number === undefined) return undefined;
    const code = codes.code(number);
    const op = calls.next();
    host.record({ block, phase: 'invoke', op, f: 'next', session });
    host.record({ block, phase: 'ok', op, f: 'next', value: code });
    given.add();
    if (supply.low) refill();
    return code;
  }

  function next(from: Asking, done: (code: string | Unavailable) => void): void {
    const op = calls.next();
    host.record({ block, phase: 'invoke', op, f: 'next', session: from.session });
    const timer = host.after(patience(from), () => fail(waiter, 'no allocator answered in time'));
    const waiter: Waiter = { op, done, timer };
    if (waiters.size >= config.waitersMax) return fail(waiter, 'too many callers wait for a range');
    waiters.add(waiter);
    serve();
    refill();
  }

  function claim(
    name: string,
    givenOwner: string | undefined,
    from: Asking,
    done: (granted: boolean | Unavailable) => void,
  ): void {
    const op = calls.next();
    const owner = givenOwner ?? `${host.self}#${op}`;
    const to = { node: config.allocators[decider(name)]!, port: 'ids' };
    const endsAt = host.now() + patience(from);
    let triedCount = 0;
    /** True while no attempt may have reached the allocator. */
    let certain = true;
    host.record({
      block,
      phase: 'invoke',
      op,
      f: 'claim',
      key: name,
      value: owner,
      session: from.session,
    });

    const giveUp = (why: string) => {
      errors.add();
      const phase = certain ? 'fail' : 'info';
      host.record({ block, phase, op, f: 'claim', key: name, reason: why });
      done(new Unavailable(block, 'claim', why, certain));
    };
    const again = (why: string) => {
      const waitUs = backoffUs(retries, triedCount, random);
      const leftUs = endsAt - host.now() - waitUs;
      if (leftUs <= 0) return giveUp(why);
      host.after(waitUs, attempt);
    };
    const attempt = () => {
      triedCount++;
      const leftUs = Math.max(1, endsAt - host.now());
      const id = calls.open(to, Math.min(config.attemptTimeoutUs, leftUs), (answer) => {
        if (!answer.ok) {
          certain &&= answer.certain;
          return again(`${to.node} does not answer`);
        }
        const { reply } = answer;
        if (reply.type === 'claimed') {
          const { granted } = reply;
          // A history knows only names that were claimed: this claim had no rival, and no effect.
          if (reply.coded) {
            const reason = 'may be a generated code';
            host.record({ block, phase: 'fail', op, f: 'claim', key: name, reason });
          } else host.record({ block, phase: 'ok', op, f: 'claim', key: name, value: granted });
          return done(granted);
        }
        if (reply.type !== 'refusal') return giveUp('an answer to another question');
        certain &&= reply.certain;
        again(reply.why);
      });
      host.send(to, { type: 'claim', id, name, owner } satisfies IdsRequest);
    };
    attempt();
  }

  /** A name that looks like a code belongs to the allocator of its range, any other to its hash's. */
  function decider(name: string): number {
    const number = codes.numberOf(name);
    const count = config.allocators.length;
    if (number !== undefined) return Series.holderOf(number, config.block, count);
    return (hashText(name) >>> 0) % count;
  }

  function patience({ deadlineAt }: Asking): Micros {
    if (deadlineAt === undefined) return config.timeoutUs;
    return Math.max(0, Math.min(config.timeoutUs, deadlineAt - host.now()));
  }

  return {
    api: { nextAtOnce, next, claim },
    message(_from, message: Message) {
      const reply = message as IdsReply;
      calls.settle(reply.id, reply);
    },
    refused(_to, message) {
      calls.refused((message as IdsRequest).id);
    },
    disconnected: (id) => calls.disconnected(id),
  };
}
