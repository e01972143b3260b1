/**
 * The log's program: writes each purge down, tells the edges, and acknowledges it when none can serve
 * what was purged. Decisions are those of `purge-log.ts`.
 */
import type { ProgramCode } from '../../../host/declaration.ts';
import type { Address, Handlers, Host, Timer } from '../../../host/host.ts';
import { webPort } from '../../../host/web.ts';
import type { Purge } from '../../../parts/http-cache.ts';
import { Journal } from '../../../parts/journal.ts';
import { type PurgeMessage, textOf } from '../../../path/purges.ts';
import type { PurgeLogConfig } from './config.ts';
import { PurgeLog } from './purge-log.ts';

interface Waiting {
  readonly from: Address;
  readonly id: number;
  readonly version: number;
  readonly startedAt: number;
}

type Entry = { readonly version: number; readonly purge: Purge };

/** Under edges that run, versions would begin again below theirs, and a purge pass for applied. */
const advice =
  'Remove it with all edges stopped: they start empty, and need no former purge. Neither remove it nor put an older ' +
  'copy back while edges run: they would go on serving what is purged then.';

export function log(
  host: Host,
  config: PurgeLogConfig,
  _code: ProgramCode,
): Handlers<PurgeMessage> {
  const requests = host.meter.counter('requests');
  const errors = host.meter.counter('errors');
  const latency = host.meter.histogram('latency');
  const queue = host.meter.gauge('queue');
  const { journal, entries } = Journal.open<Entry>(host.disk, 'purges/journal', advice);
  const isFirstLife = entries.length === 0 && host.life === 1;
  const purges = new PurgeLog({
    ...config,
    formerUntil: isFirstLife ? 0 : host.now() + Math.ceil(config.leaseUs * 1.1),
  });
  const [oldest] = entries;
  if (oldest) {
    purges.recover(
      oldest.version,
      entries.map(({ purge }) => purge),
    );
  }
  /** By version, the oldest first. */
  let waiting: Waiting[] = [];
  let timer: Timer | undefined;
  /** Purges that are being written down. */
  let pendingCount = 0;

  function purge(from: Address, id: number, what: Purge): void {
    requests.add();
    const startedAt = host.now();
    // Written down in the order of versions: the journal keeps it.
    const version = purges.version + pendingCount + 1;
    pendingCount++;
    journal.append({ version, purge: what }, (outcome) => {
      pendingCount--;
      if (outcome !== 'ok') {
        errors.add();
        return host.send(from, { type: 'unpurged', id } satisfies PurgeMessage);
      }
      waiting.push({ from, id, version: purges.add(what), startedAt });
      host.meter.note(`purge ${version}: ${textOf(what)}`);
      compact();
      advance();
    });
  }

  function compact(): void {
    if (journal.entryCount < config.logMax * 2 || pendingCount > 0) return;
    const { first, purges: kept } = purges.remembered();
    journal.replaceWith(
      kept.map((what, index) => ({ version: first + index, purge: what })),
      () => {},
    );
  }

  /** Tells who is behind, and acknowledges what is done. */
  function advance(): void {
    const now = host.now();
    for (const { node, news } of purges.tell(now)) {
      host.send({ node, port: webPort }, { type: 'news', id: 0, ...news } satisfies PurgeMessage);
    }
    const done = purges.purgedVersion(now);
    while (waiting[0] && waiting[0].version <= done) {
      const { from, id, version, startedAt } = waiting.shift()!;
      latency.record(now - startedAt);
      const edges = purges.countOf(version);
      host.send(from, { type: 'purged', id, version, edges } satisfies PurgeMessage);
    }
    queue.set(waiting.length);
    timer?.cancel();
    const next = waiting.length > 0 ? purges.nextEnd(now) : undefined;
    timer = next === undefined ? undefined : host.after(next - now, advance);
  }

  return {
    message(from, message) {
      if (message.type === 'purge') return purge(from, message.id, message.purge);
      if (message.type !== 'poll') return;
      const { id: poll, version, step } = message;
      const news = purges.polled(from.node, { poll, version, step }, host.now());
      if (news === undefined) return;
      host.send(from, { type: 'news', id: message.id, ...news } satisfies PurgeMessage);
      if (waiting.length > 0) advance();
    },
    drain(done) {
      // Who still waits is told nothing: his purge is written down, and goes on with the next life.
      waiting = [];
      done();
    },
  };
}
