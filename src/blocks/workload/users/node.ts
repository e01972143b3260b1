/**
 * The users: a crowd on one node that sends requests to the doors of the system and counts what
 * comes back.
 *
 *   run ──prepare──▶ crowd: setup(user) …                  ──ready──▶ run
 *   run ──warm-up──▶ crowd: the same as in the load, uncounted   (where one was asked for)
 *   run ──begin────▶ crowd: arrivals, each act(user) …
 *   run ──stop─────▶ crowd: no new requests, wait          ──quiet──▶ run
 *
 * Open-loop arrivals are timed from when they should have begun: a late generator shows as latency
 * and never as less load (no coordinated omission). Arrivals due together start together.
 */
import { control, type FromProgram, type ToProgram } from '../../../host/control.ts';
import type { ProgramCode } from '../../../host/declaration.ts';
import type { Handlers, Host, Micros, Timer } from '../../../host/host.ts';
import type { Naming } from '../../../host/naming.ts';
import { isWebFailure, type WebMessage, type WebReply } from '../../../host/web.ts';
import { sampler } from '../../../kit/distribution.ts';
import { Calls } from '../../../path/calls.ts';
import { takeWeb } from '../../../path/streaming.ts';
import { Arrivals, perSecAt } from './arrivals.ts';
import type { CrowdConfig, Load, Shape, Visit } from './config.ts';
import { Script, type UsersCode } from './script.ts';
import { Tally } from './tally.ts';
import { Wire } from './wire.ts';

type Closed = Load & { readonly kind: 'closed' };

/** A visit that began this long after it was due was not offered when the load says. */
const lateUs = 1_000_000;

export function crowd(
  host: Host,
  config: CrowdConfig,
  code: ProgramCode,
): Handlers<WebMessage | ToProgram> {
  const calls = new Calls<WebReply>(host, { failed: isWebFailure });
  const tally = new Tally(host.meter);
  const naming = config.naming === null ? undefined : (code.open.get(config.naming)?.api as Naming);
  const wire = new Wire(host, config, calls, naming);
  const script = new Script(
    host,
    config,
    wire,
    tally,
    code.run,
    code.declaration.code as UsersCode,
  );
  const { crowd: index, crowds, population } = config;
  const ownPopulation = Math.max(1, Math.ceil((population - index) / crowds));
  const userOf = (nth: number): number => nth * crowds + index;
  const whoArrives = host.random.fork('who arrives');
  const say = (message: FromProgram): void => host.send(control, message);
  const due = host.meter.counter('arrivals due');
  const late = host.meter.counter('arrivals late');
  let running = false;
  let beganAt: Micros = 0;
  /** When the next arrival is due, since the load began. */
  let nextAt = Number.POSITIVE_INFINITY;
  let arrivals: Arrivals | undefined;
  /** Of a closed load: how many are wanted, and who is there, thinking or waiting for a reply. */
  let wanted = 0;
  const looping = new Set<number>();
  let waiting: Timer | undefined;
  let ending: Timer | undefined;

  function warmUp(): void {
    tally.warmUp();
    running = true;
    script.open();
    beganAt = host.now();
    const { load } = config;
    if (load.kind === 'closed') loopAll(load);
    if (load.kind !== 'open') return;
    const perSec = perSecAt(load.shape, 0);
    come({ kind: 'steady', perSec }, 'arrivals to warm up');
  }

  function begin(forUs: Micros): void {
    tally.load();
    running = true;
    script.open();
    beganAt = host.now();
    waiting?.cancel();
    ending?.cancel();
    ending = host.after(forUs, () => {
      // A generator that has fallen behind owes these.
      for (; nextAt < forUs; nextAt = arrivals!.nextAfter(nextAt))
        arrive(nextAt, forUs + lateUs + 1);
      stop();
    });
    const { load } = config;
    if (load.kind === 'open') come(load.shape, 'arrivals');
    else if (load.kind === 'replay') replay(load.visits, 0);
    else loopAll(load);
  }

  function come(shape: Shape, stream: string): void {
    arrivals = new Arrivals(shape, config.arrivals, host.random.fork(stream));
    awaitArrival(arrivals.nextAfter(0));
  }

  /** Waits for the arrival at `nextUs`, then starts everybody who is due. */
  function awaitArrival(nextUs: number): void {
    nextAt = nextUs;
    if (nextUs === Number.POSITIVE_INFINITY) return;
    waiting = host.after(Math.max(0, Math.floor(beganAt + nextUs - host.now())), startDue);
  }

  function startDue(): void {
    let at = nextAt;
    const now = host.now() - beganAt;
    while (running && at <= now + 1) {
      arrive(at, now);
      script.visit(userOf(whoArrives.below(ownPopulation)), beganAt + Math.floor(at));
      at = arrivals!.nextAfter(at);
    }
    if (running) awaitArrival(at);
  }

  function arrive(dueUs: number, now: number): void {
    due.add();
    if (now - dueUs > lateUs) late.add();
  }

  /** So many, from now on: those who are too many leave when they next come back. */
  function loopAll({ users, think }: Closed, factor = 1): void {
    const draw = sampler(think);
    wanted = Math.round(users * factor);
    for (let nth = 0; nth < wanted; nth++) if (!looping.has(nth)) loop(nth, draw);
  }

  function loop(nth: number, think: (random: typeof host.random) => number): void {
    const user = userOf(nth);
    const thinking = host.random.fork(`thinks ${user}`);
    looping.add(nth);
    const again = (): void => {
      if (running && nth < wanted) {
        script.visit(user, host.now(), () => host.after(think(thinking), again));
      } else looping.delete(nth);
    };
    // Users who all began at once would march in step.
    host.after(think(thinking), again);
  }

  function replay(visits: readonly Visit[], from: number): void {
    const first = visits[from];
    if (!first || !running) return;
    host.after(Math.max(0, beganAt + first.atUs - host.now()), () => {
      const now = host.now() - beganAt;
      let index = from;
      for (
        let visit = visits[index];
        running && visit && visit.atUs <= now;
        visit = visits[index]
      ) {
        arrive(visit.atUs, now);
        script.repeat(visit, beganAt + visit.atUs);
        index++;
      }
      replay(visits, index);
    });
  }

  function surge(factor: number): void {
    if (!running) return;
    if (config.load.kind === 'closed') return loopAll(config.load, factor);
    if (!arrivals) return;
    arrivals.factor = factor;
    waiting?.cancel();
    awaitArrival(arrivals.nextAfter(host.now() - beganAt));
  }

  function stop(): void {
    running = false;
    tally.over();
    waiting?.cancel();
    ending?.cancel();
    script.close();
  }

  function sayWhenQuiet(): void {
    if (tally.open === 0) say({ type: 'quiet' });
    else host.after(10_000, sayWhenQuiet);
  }

  return {
    message(from, message) {
      if (message.type === 'reply') {
        calls.settle(message.id, message);
        return;
      }
      if (message.type === 'lost') return calls.lost(message.id);
      if (from.node !== control.node) return;
      switch (message.type) {
        case 'prepare':
          return script.prepare((failure) => say({ type: 'ready', failure }));
        case 'warm-up':
          return warmUp();
        case 'begin':
          return begin(message.forUs);
        case 'surge':
          return surge(message.factor);
        case 'stop':
          stop();
          return sayWhenQuiet();
      }
    },
    stream(_from, opening, stream) {
      const web = opening as WebMessage;
      if (web.type !== 'reply') return undefined;
      const { message, events } = takeWeb(web, stream);
      return calls.settle(web.id, message) ? events : undefined;
    },
    refused: (_to, message) => calls.refused((message as WebMessage).id),
    disconnected: (node) => calls.disconnected(node),
  };
}
