/**
 * The allocator: hands out ranges and decides over names. Both are written to its journal first and
 * said after: what a crash interrupts was never said, and what was said is never said again.
 */
import type { ProgramCode } from '../../../host/declaration.ts';
import type { Address, DiskOutcome, Program } from '../../../host/host.ts';
import { LoadpathError } from '../../../kit/errors.ts';
import { Journal } from '../../../parts/journal.ts';
import { Lru } from '../../../parts/lru.ts';
import { secretCheck } from '../../../parts/scramble.ts';
import { Claims } from './claims.ts';
import { Codes } from './codes.ts';
import type { AllocatorConfig, IdsCode } from './config.ts';
import type { IdsReply, IdsRequest } from './messages.ts';
import { type Range, Series } from './ranges.ts';

type Entry =
  /** What all else rests on: with another shape the same numbers would come out again. */
  | { readonly type: 'shape'; readonly shape: string }
  | { readonly type: 'handed'; readonly place: number }
  | { readonly type: 'alias'; readonly name: string; readonly owner: string };

/** What a caller was given last, to give it again when the reply got lost. */
interface Holder {
  readonly life: number;
  ticket: number;
  handedCount: number;
  finishedCount: number;
  range: Range | undefined;
  /** Ids of the questions that wait for `range`. */
  asked: number[];
}

interface Claimant {
  readonly from: Address;
  readonly id: number;
  readonly owner: string;
}

/** Says when a range may be told: the one rule that a test breaks on purpose. */
export type HandOut = (store: (done: () => void) => void, tell: () => void) => void;

const onceStored: HandOut = (store, tell) => store(tell);

function adviceOf({ nodes, width }: AllocatorConfig): string {
  return (
    'Neither remove it nor put an older copy back: codes and names would be given out a second time. ' +
    (nodes > 1 ? 'Leave this node down: the other allocators give out codes without it. ' : '') +
    `Codes surely never given out are those of another width than ${width}: for that, remove the data of all ` +
    'allocators and change `width`. Names claimed are then free again.'
  );
}

export function allocatorBy(handOut: HandOut): Program<IdsRequest, AllocatorConfig, ProgramCode> {
  return (host, config, code) => {
    const requests = host.meter.counter('requests');
    const errors = host.meter.counter('errors');
    const latency = host.meter.histogram('latency');
    const queue = host.meter.gauge('queue');
    const handed = host.meter.counter('handed');
    const lost = host.meter.counter('lost');
    const granted = host.meter.counter('claimed');
    const { secret } = code.declaration.code as IdsCode;
    const codes = new Codes(config.width, config.scramble ? secret : undefined);
    const series = new Series({ ...config, count: codes.count });
    const claims = new Claims();
    const waiting = new Map<string, Claimant[]>();
    const holders = new Lru<string, Holder>({ entriesMax: 10_000 });
    const shape = shapeOf(config, secret);
    let shaped = false;
    /** Said to whoever asks, once a caller knows of a range that this journal does not. */
    let forgot: string | undefined;
    let pending = 0;

    const { journal, entries, tornBytes } = Journal.open<Entry>(
      host.disk,
      'ids/journal',
      adviceOf(config),
    );
    for (const entry of entries) recover(entry);
    if (entries.length > 0) {
      host.meter.note(
        `recovered ${series.handedCount} ranges and ${claims.size} names${tornBytes > 0 ? `, ${tornBytes} bytes torn off` : ''}`,
      );
    }

    function recover(entry: Entry): void {
      switch (entry.type) {
        case 'shape':
          if (entry.shape !== shape) throw reshaped(config.name, host.self, entry.shape, shape);
          shaped = true;
          return;
        case 'handed':
          return series.markHanded(entry.place);
        case 'alias': {
          claims.keep(entry.name, entry.owner);
          const number = codes.numberOf(entry.name);
          if (number !== undefined) series.leaveOut(number);
        }
      }
    }

    function store(entry: Entry, done: (outcome: DiskOutcome) => void): void {
      if (!shaped) {
        journal.append({ type: 'shape', shape }, (outcome) => {
          if (outcome === 'ok') shaped = true;
        });
      }
      journal.append(entry, done);
    }

    function take(from: Address, message: Extract<IdsRequest, { readonly type: 'take' }>): void {
      const { id, life, ticket, finished, given } = message;
      if (given > 0 && !series.hasHanded(given)) forget(from, given);
      if (forgot !== undefined) return refuse(from, id, forgot, true);
      let holder = holders.get(from.node);
      if (holder && (life < holder.life || (life === holder.life && ticket < holder.ticket)))
        return;
      if (!holder || life > holder.life) {
        if (holder) lost.add(Math.max(0, holder.handedCount - holder.finishedCount));
        holder = {
          life,
          ticket: 0,
          handedCount: 0,
          finishedCount: 0,
          range: undefined,
          asked: [],
        };
        holders.set(from.node, holder);
      }
      holder.finishedCount = finished;
      if (ticket === holder.ticket) {
        // Asked again: the same range, or the same wait for it.
        if (holder.range) return tell(from, id, holder.range);
        if (holder.asked.length > 0) {
          holder.asked.push(id);
          return;
        }
      }
      hand(from, holder, ticket, id);
    }

    /** Its journal was lost, or put back from a copy: what else it has given out, nobody knows. */
    function forget(from: Address, given: number): void {
      if (forgot !== undefined) return;
      forgot = `${host.self} has lost what it gave out`;
      host.meter.alarm(
        `${from.node} has numbers up to ${given - 1} from it, of which its journal knows nothing: it gives out no more codes or names, ` +
          'which might come out twice. Put its journal back, or declare ids of another name',
      );
    }

    function hand(from: Address, holder: Holder, ticket: number, id: number): void {
      const range = series.take();
      if (!range) return reply(from, { type: 'exhausted', id });
      holder.ticket = ticket;
      holder.range = undefined;
      holder.asked = [id];
      const settle = (say: (asked: number) => void) => {
        if (holder.ticket !== ticket) return;
        for (const asked of holder.asked.splice(0)) say(asked);
      };
      const toStore = (done: () => void) =>
        store({ type: 'handed', place: range.place }, (outcome) => {
          if (outcome === 'ok') return done();
          // The range is lost: the entry may yet turn up after a crash.
          lost.add();
          settle((asked) => refuse(from, asked, `disk ${outcome}`, true));
        });
      handOut(toStore, () => {
        handed.add();
        if (holder.ticket === ticket) {
          holder.range = range;
          holder.handedCount++;
        }
        settle((asked) => tell(from, asked, range));
      });
    }

    function tell(to: Address, id: number, { from, to: end, except }: Range): void {
      reply(to, { type: 'range', id, from, to: end, except });
    }

    function claim(from: Address, message: Extract<IdsRequest, { readonly type: 'claim' }>): void {
      const { id, name, owner } = message;
      if (forgot !== undefined) return refuse(from, id, forgot, true);
      switch (claims.look(name, owner)) {
        case 'yours':
          return reply(from, { type: 'claimed', id, granted: true });
        case 'taken':
          return reply(from, { type: 'claimed', id, granted: false });
        case 'undecided':
          waiting.get(name)?.push({ from, id, owner });
          return;
        case 'free':
          decide(from, id, name, owner);
      }
    }

    function decide(from: Address, id: number, name: string, owner: string): void {
      if (claims.size >= config.claimsMax) {
        return refuse(from, id, `${config.claimsMax} names are the most it keeps`, true);
      }
      const number = codes.numberOf(name);
      if (number !== undefined) {
        const holder = Series.holderOf(number, config.block, config.nodes);
        if (holder !== config.index) return refuse(from, id, 'asked the wrong allocator', true);
        // Its range is out: it may be somebody's code already, or become so any moment.
        if (!series.leaveOut(number)) {
          return reply(from, { type: 'claimed', id, granted: false, coded: true });
        }
      }
      claims.begin(name, owner);
      waiting.set(name, [{ from, id, owner }]);
      store({ type: 'alias', name, owner }, (outcome) => {
        const claimants = waiting.get(name) ?? [];
        waiting.delete(name);
        if (outcome === 'ok') {
          claims.keep(name, owner);
          granted.add();
          for (const other of claimants) {
            reply(other.from, { type: 'claimed', id: other.id, granted: other.owner === owner });
          }
          return;
        }
        claims.giveUp(name);
        // After a failed sync the entry may turn up after a crash; on a full disk it is not there.
        const certain = outcome === 'full';
        for (const other of claimants) refuse(other.from, other.id, `disk ${outcome}`, certain);
      });
    }

    function refuse(to: Address, id: number, why: string, certain: boolean): void {
      errors.add();
      reply(to, { type: 'refusal', id, why, certain });
    }

    function reply(to: Address, message: IdsReply): void {
      host.send(to, message);
    }

    function handle(from: Address, message: IdsRequest): void {
      switch (message.type) {
        case 'take':
          return take(from, message);
        case 'claim':
          return claim(from, message);
      }
    }

    return {
      message(from, message) {
        requests.add();
        const arrivedAt = host.now();
        queue.set(++pending);
        host.cpu.charge(config.costUs, () => {
          queue.set(--pending);
          handle(from, message);
          latency.record(host.now() - arrivedAt);
        });
      },
    };
  };
}

export const allocator = allocatorBy(onceStored);

function shapeOf(config: AllocatorConfig, secret: string): string {
  const scrambled = config.scramble ? `secret ${secretCheck(secret)}` : 'not scrambled';
  return `width ${config.width}, block ${config.block}, allocator ${config.index} of ${config.nodes}, ${scrambled}`;
}

function reshaped(name: string, node: string, was: string, is: string): LoadpathError {
  return new LoadpathError(
    'bad-design',
    `${name}: ${node} has handed out codes with ${was}; the design now says ${is}. ` +
      'Codes would come out twice. Put the options back, or declare ids of another name.',
  );
}
