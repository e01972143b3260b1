/**
 * Who asks others about names and remembers the answers: a resolver its servers, a client its resolvers.
 * Of many who ask for one name at once one goes on; who does not answer is passed over for the next.
 */
import type { Host, Micros, NodeId } from '../../../host/host.ts';
import { Lru } from '../../../parts/lru.ts';
import { Calls } from '../../../path/calls.ts';
import { type DnsAnswer, type DnsQuery, dnsPort } from './messages.ts';
import type { Found } from './records.ts';

interface Remembered {
  readonly found: Found;
  readonly until: Micros;
}

interface Askable {
  readonly node: NodeId;
  avoidUntil: Micros;
}

export interface RememberingOptions {
  readonly timeoutUs: Micros;
  readonly namesMax: number;
}

type Done = (found: Found) => void;

const failed: Found = { code: 'failed', nodes: [], aliases: [], text: null, ttlUs: 0 };
/** How long one that did not answer comes last. */
const avoidUs = 5_000_000;

export class Remembering {
  readonly #host: Host;
  readonly #options: RememberingOptions;
  readonly #askable: readonly Askable[];
  readonly #region: string | null;
  readonly #names: Lru<string, Remembered>;
  readonly #waiting = new Map<string, Done[]>();
  readonly #calls: Calls<DnsAnswer>;
  readonly #hits;
  readonly #misses;

  constructor(
    host: Host,
    options: RememberingOptions,
    askable: readonly NodeId[],
    region: string | null,
  ) {
    this.#host = host;
    this.#options = options;
    this.#askable = askable.map((node) => ({ node, avoidUntil: 0 }));
    this.#region = region;
    this.#names = new Lru({ entriesMax: options.namesMax });
    this.#calls = new Calls(host, { failed: ({ code }) => code === 'failed' });
    this.#hits = host.meter.counter('names remembered');
    this.#misses = host.meter.counter('names asked for');
  }

  /** With what is left of its time to live: an answer is never older than its record allows. */
  find(asked: string, done: Done): void {
    const name = asked.toLowerCase();
    const now = this.#host.now();
    const known = this.#names.get(name);
    if (known && known.until > now) {
      this.#hits.add();
      return done({ ...known.found, ttlUs: known.until - now });
    }
    const others = this.#waiting.get(name);
    if (others) {
      others.push(done);
      return;
    }
    this.#misses.add();
    this.#waiting.set(name, [done]);
    const order = [...this.#askable].sort(
      (a, b) => Number(a.avoidUntil > now) - Number(b.avoidUntil > now),
    );
    this.#ask(name, order, 0);
  }

  answered(answer: DnsAnswer): void {
    this.#calls.settle(answer.id, answer);
  }

  refused(id: number): void {
    this.#calls.refused(id);
  }

  disconnected(node: NodeId): void {
    this.#calls.disconnected(node);
  }

  #ask(name: string, order: readonly Askable[], index: number): void {
    const one = order[index];
    if (!one) return this.#end(name, failed);
    const to = { node: one.node, port: dnsPort };
    const askedAt = this.#host.now();
    const id = this.#calls.open(to, this.#options.timeoutUs, (answer) => {
      if (answer.ok && answer.reply.code !== 'failed') {
        const { code, nodes, aliases, text, ttlUs } = answer.reply;
        const found: Found = { code, nodes, aliases, text, ttlUs };
        // From when it was asked: what the way took belongs to its time.
        if (ttlUs > 0) this.#names.set(name, { found, until: askedAt + ttlUs });
        return this.#end(name, found);
      }
      one.avoidUntil = this.#host.now() + avoidUs;
      this.#ask(name, order, index + 1);
    });
    this.#host.send(to, { type: 'query', id, name, region: this.#region } satisfies DnsQuery);
  }

  #end(name: string, found: Found): void {
    const waiting = this.#waiting.get(name) ?? [];
    this.#waiting.delete(name);
    for (const done of waiting) done(found);
  }
}
