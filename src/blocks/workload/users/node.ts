/**
 * The users: a crowd on one node that sends requests to the doors of the system and counts what
 * comes back.
 *
 *   run ──prepare──▶ crowd: setup(user) …                  ──ready──▶ run
 *   run ──begin────▶ crowd: arrivals, each act(user) …
 *   run ──stop─────▶ crowd: no new requests, wait          ──quiet──▶ run
 *
 * Open-loop arrivals are timed from when they should have begun: a late generator shows as latency
 * and never as less load (no coordinated omission). Arrivals due together start together.
 */
import { control, type FromProgram, type ToProgram } from '../../../host/control.ts';
import type { ProgramCode } from '../../../host/declaration.ts';
import type { Handlers, Host, Micros, Timer } from '../../../host/host.ts';
import type { WebMessage, WebReply } from '../../../host/web.ts';
import { sampler } from '../../../kit/distribution.ts';
import { Calls } from '../../../path/calls.ts';
import { Arrivals } from './arrivals.ts';
import type { CrowdConfig, Visit } from './config.ts';
import { Script, type UsersCode } from './script.ts';
import { Tally } from './tally.ts';
import { Wire } from './wire.ts';

export function crowd(
  host: Host,
  config: CrowdConfig,
  code: ProgramCode,
): Handlers<WebMessage | ToProgram> {
  const calls = new Calls<WebReply>(host);
  const tally = new Tally(host.meter);
  const wire = new Wire(host, config, calls);
  const script = new Script(
    host,
    config,
    wire,
    tally,
    code.run,
    code.declaration.code as UsersCode,
  );
  const whoArrives = host.random.fork('who arrives');
  const say = (message: FromProgram): void => host.send(control, message);
  let running = false;
  let beganAt: Micros = 0;
  let arrivals: Arrivals | undefined;
  let due: Timer | undefined;
  let ending: Timer | undefined;

  function begin(forUs: Micros): void {
    running = true;
    script.open();
    beganAt = host.now();
    ending?.cancel();
    ending = host.after(forUs, stop);
    const { load } = config;
    if (load.kind === 'open') {
      arrivals = new Arrivals(load.shape, config.arrivals, host.random.fork('arrivals'));
      awaitArrival(arrivals.nextAfter(0));
    } else if (load.kind === 'closed') {
      const think = sampler(load.think);
      for (let user = 0; user < load.users; user++) loop(user, think);
    } else {
      replay(load.visits, 0);
    }
  }

  /** Waits for the arrival at `nextUs`, then starts everybody who is due. */
  function awaitArrival(nextUs: number): void {
    if (nextUs === Number.POSITIVE_INFINITY) return;
    due = host.after(Math.max(0, Math.floor(beganAt + nextUs - host.now())), () => {
      let at = nextUs;
      const now = host.now() - beganAt;
      while (running && at <= now + 1) {
        script.visit(whoArrives.below(config.population), beganAt + Math.floor(at));
        at = arrivals!.nextAfter(at);
      }
      if (running) awaitArrival(at);
    });
  }

  function loop(user: number, think: (random: typeof host.random) => number): void {
    const thinking = host.random.fork(`thinks ${user}`);
    const again = (): void => {
      if (!running) return;
      script.visit(user, host.now(), () => host.after(think(thinking), again));
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
        script.repeat(visit, beganAt + visit.atUs);
        index++;
      }
      replay(visits, index);
    });
  }

  function surge(factor: number): void {
    if (!arrivals || !running) return;
    arrivals.factor = factor;
    due?.cancel();
    awaitArrival(arrivals.nextAfter(host.now() - beganAt));
  }

  function stop(): void {
    running = false;
    due?.cancel();
    ending?.cancel();
    script.close();
  }

  function sayWhenQuiet(): void {
    if (tally.open === 0) say({ type: 'quiet' });
    else host.after(10_000, sayWhenQuiet);
  }

  return {
    message(from, message) {
      if (message.type === 'reply') return calls.settle(message.id, message);
      if (from.node !== control.node) return;
      switch (message.type) {
        case 'prepare':
          return script.prepare((failure) => say({ type: 'ready', failure }));
        case 'begin':
          return begin(message.forUs);
        case 'surge':
          return surge(message.factor);
        case 'stop':
          stop();
          return sayWhenQuiet();
      }
    },
    refused: (_to, message) => calls.refused((message as WebMessage).id),
    disconnected: (node) => calls.disconnected(node),
  };
}
