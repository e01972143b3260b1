/**
 * The publisher's half of a topic. It asks the broker of the partition again until it has an answer
 * or no time left; the broker knows its message by number and stores it once.
 */
import type { Client } from '../../../host/declaration.ts';
import type { Address, Host, Message, Micros, Value } from '../../../host/host.ts';
import { Unavailable } from '../../../kit/errors.ts';
import { hashText } from '../../../kit/random.ts';
import { backoffUs } from '../../../parts/backoff.ts';
import { IdMap } from '../../../parts/id-map.ts';
import { Calls } from '../../../path/calls.ts';
import { brokerOf, type TopicClientConfig } from './config.ts';
import type { TopicReply, TopicRequest } from './messages.ts';

export interface Asking {
  readonly session?: string | undefined;
  readonly deadlineAt?: Micros | undefined;
}

export interface Published {
  readonly partition: number;
  readonly offset: number;
}

/** What `handle.ts` wraps in promises. */
export interface TopicApi {
  /** Without a key, partitions take turns. */
  publish(
    key: string | null,
    value: Value,
    asking: Asking,
    done: (outcome: Published | Unavailable) => void,
  ): void;
  replay(
    group: string,
    partition: number,
    from: { readonly offset: number } | { readonly at: Micros },
    done: (outcome: number | Unavailable) => void,
  ): void;
}

const retries = { backoffUs: 20_000, backoffMaxUs: 500_000 };

export function client(host: Host, config: TopicClientConfig): Client & { readonly api: TopicApi } {
  const published = host.meter.counter('published');
  const errors = host.meter.counter('errors');
  const retried = host.meter.counter('retries');
  const block = config.name;
  const calls = new Calls<TopicReply>(host);
  const random = host.random.fork('topic');
  /** By partition. One address object for all messages: a world finds its way by it. */
  const brokers = Array.from({ length: config.partitions }, (_, partition): Address => {
    return { node: config.brokers[brokerOf(partition, config.nodes)]!, port: 'topic' };
  });
  const waiting = brokers.map(() => new Unanswered());
  let inFlightCount = 0;
  let nextSeq = 1;
  let nextMessage = 1;
  let turn = hashText(host.self) >>> 0;

  /** Asks until `answered` returns true or the time is over. */
  function persist(
    partition: number,
    endsAt: Micros,
    request: (id: number) => TopicRequest,
    answered: (reply: TopicReply) => boolean,
    givenUp: (why: string, certain: boolean) => void,
  ): void {
    const to = brokers[partition]!;
    let triedCount = 0;
    /** True while no attempt may have had an effect. */
    let certain = true;
    const again = (why: string) => {
      const waitUs = backoffUs(retries, triedCount, random);
      if (host.now() + waitUs >= endsAt) return givenUp(why, certain);
      retried.add();
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
        if (answered(reply)) return;
        if (reply.type !== 'refusal') return givenUp('an answer to another question', false);
        certain &&= reply.certain;
        again(reply.why);
      });
      host.send(to, request(id));
    };
    attempt();
  }

  function publish(
    key: string | null,
    value: Value,
    asking: Asking,
    done: (outcome: Published | Unavailable) => void,
  ): void {
    const partition = (key === null ? turn++ : hashText(key) >>> 0) % config.partitions;
    const op = calls.next();
    const message = `${host.self}.${host.life}.${nextMessage++}`;
    const f = 'publish';
    const named = key ?? undefined;
    const { session } = asking;
    host.record({ block, phase: 'invoke', op, f, key: named, value: message, session });
    const fail = (why: string, certain: boolean) => {
      errors.add();
      host.record({ block, phase: certain ? 'fail' : 'info', op, f, key: named, reason: why });
      done(new Unavailable(block, f, why, certain));
    };
    if (inFlightCount >= config.inFlight) {
      return fail(`${config.inFlight} messages are on their way already`, true);
    }
    inFlightCount++;
    const seqs = waiting[partition]!;
    let seq = nextSeq++;
    seqs.add(seq);
    const finish = () => {
      inFlightCount--;
      seqs.delete(seq);
    };
    persist(
      partition,
      host.now() + patience(asking),
      (id) => {
        const low = seqs.least(seq);
        return { type: 'publish', id, partition, message, key, value, life: host.life, seq, low };
      },
      (reply) => {
        if (reply.type === 'refusal' && reply.certain) {
          // The broker will refuse this number for ever; the next try needs its own.
          seqs.delete(seq);
          seq = nextSeq++;
          seqs.add(seq);
        }
        if (reply.type !== 'published') return false;
        finish();
        published.add();
        const { offset } = reply;
        host.record({
          block,
          phase: 'ok',
          op,
          f,
          key: named,
          value: { id: message, partition, offset },
        });
        done({ partition, offset });
        return true;
      },
      (why, certain) => {
        finish();
        fail(why, certain);
      },
    );
  }

  function replay(
    group: string,
    partition: number,
    from: { readonly offset: number } | { readonly at: Micros },
    done: (outcome: number | Unavailable) => void,
  ): void {
    persist(
      partition,
      host.now() + config.timeoutUs,
      (id) => ({ type: 'replay', id, group, partition, from }),
      (reply) => {
        if (reply.type !== 'replayed') return false;
        done(reply.offset);
        return true;
      },
      (why, certain) => done(new Unavailable(block, 'replayFrom', why, certain)),
    );
  }

  function patience({ deadlineAt }: Asking): Micros {
    if (deadlineAt === undefined) return config.timeoutUs;
    return Math.max(0, Math.min(config.timeoutUs, deadlineAt - host.now()));
  }

  return {
    api: { publish, replay },
    message(_from, message: Message) {
      const reply = message as TopicReply;
      calls.settle(reply.id, reply);
    },
    refused(_to, message) {
      calls.refused((message as Extract<TopicRequest, { readonly id: number }>).id);
    },
    disconnected: (node) => calls.disconnected(node),
  };
}

/** Numbers of messages on their way to one partition. */
class Unanswered {
  readonly #seqs = new IdMap<true>();
  /** None below it is waited for, now or later: numbers only grow. */
  #least = 0;

  add(seq: number): void {
    this.#seqs.set(seq, true);
  }

  delete(seq: number): void {
    this.#seqs.take(seq);
  }

  /** The least of those waited for, of which `seq` is one. */
  least(seq: number): number {
    while (this.#least < seq && !this.#seqs.has(this.#least)) this.#least++;
    return this.#least;
  }
}
