/**
 * The balancer's program: it takes connections, gives each to one target, and passes what comes over
 * it, both ways, without a look.
 *
 *   user ══▶ balancer ── who gets it? ──▶ edge/1      all of its requests go there, until it ends
 */
import { type Connection, isConnection } from '../../../host/connection.ts';
import { mayControl, type ToProgram } from '../../../host/control.ts';
import type { ProgramCode } from '../../../host/declaration.ts';
import type { Handlers, Host, NodeId } from '../../../host/host.ts';
import type { Targets } from '../../../host/path.ts';
import type { Stream, StreamEvents } from '../../../host/stream.ts';
import type { Directory } from '../../../path/directory.ts';
import { Checks, tryConnect } from './checks.ts';
import type { PassingConfig } from './config.ts';
import type { BeatMessage } from './messages.ts';
import { Passage } from './passage.ts';
import { Seat } from './seat.ts';
import { pickerOf, Target, weightsOf } from './target.ts';

export function pass(
  host: Host,
  config: PassingConfig,
  code: Pick<ProgramCode, 'open'>,
): Handlers<Connection | BeatMessage | ToProgram> {
  const { service, connectionsMax, connectTimeoutUs, tries, ejectForUs, quietUs } = config;
  const picker = pickerOf(config.balance, host.random.fork('balance'));
  const passages = new Set<Passage>();
  const checks =
    config.health &&
    new Checks(host, config.health, service, (target) => {
      if (config.whenDown === 'keep') return;
      for (const passage of [...passages]) if (passage.target === target) passage.cut();
    });
  let targets: readonly Target[] = [];
  const seat = config.seat && new Seat(host, config.seat, reaches);
  let whenIdle: (() => void) | undefined;

  const requests = host.meter.counter('requests');
  const errors = host.meter.counter('errors');
  const refused = host.meter.counter('refused');
  const declined = host.meter.counter('declined');
  const broken = host.meter.counter('broken');
  const there = host.meter.counter('bytes there');
  const back = host.meter.counter('bytes back');
  const latency = host.meter.histogram('latency');
  const queue = host.meter.gauge('queue');

  retarget(config.targets);
  const { directory } = config;
  if (directory) {
    const { traffic } = config.targets;
    const half = code.open.get(directory.port)?.api as Directory | undefined;
    half?.follow(service, (releases) => retarget({ releases, traffic }));
  }

  /** Of those that stay everything known is kept; connections to those that go, go on. */
  function retarget(to: Targets): void {
    const weights = weightsOf(to);
    const known = new Map<NodeId, Target>(targets.map((target) => [target.id, target]));
    for (const target of targets) if (!weights.has(target.id)) checks?.went(target);
    targets = [...weights].map(([id, weight]) => {
      const target = known.get(id) ?? new Target(id, weight);
      target.weight = weight;
      if (!known.has(id)) checks?.came(target);
      return target;
    });
  }

  function accept(connection: Connection, stream: Stream): StreamEvents | undefined {
    if (whenIdle || passages.size >= connectionsMax) {
      refused.add();
      return undefined;
    }
    requests.add();
    const passage: Passage = new Passage({
      host,
      connection,
      stream,
      connectTimeoutUs,
      passCostUs: config.passCostUs,
      tries,
      pick: (except) => picker.pick(targets, host.now(), except, connection.ip),
      declined(target) {
        declined.add();
        target.eject(host.now() + ejectForUs);
      },
      passing(target, waitedUs) {
        target.took();
        latency.record(waitedUs);
      },
      passed(bytes, isBack) {
        if (isBack) back.add(bytes);
        else there.add(bytes);
      },
      over(how) {
        passages.delete(passage);
        queue.set(passages.size);
        if (how === 'untaken') errors.add();
        else if (how !== 'done') broken.add();
        if (passages.size === 0) whenIdle?.();
      },
    });
    passages.add(passage);
    queue.set(passages.size);
    host.cpu.charge(config.costUs, () => {
      if (passages.has(passage)) passage.begin();
    });
    return passage.events;
  }

  /** Whether anybody behind it can be reached: who is cut off from all of them is of no use in front. */
  function reaches(told: (doesReach: boolean) => void): void {
    const now = host.now();
    const usable = targets.filter(({ avoidUntil }) => avoidUntil <= now);
    const asked = usable.length > 0 ? usable : targets;
    let left = asked.length;
    let isTold = false;
    if (left === 0) return told(false);
    for (const target of asked) {
      tryConnect(host, target, connectTimeoutUs, (accepts) => {
        left--;
        if (isTold || (!accepts && left > 0)) return;
        isTold = true;
        told(accepts);
      });
    }
  }

  /** Who has something under way may finish it; the others are ended as an idle server would. */
  function windUp(): void {
    if (passages.size === 0) return;
    for (const passage of [...passages]) passage.endIfQuiet(host.now() - quietUs);
    host.after(quietUs, windUp);
  }

  return {
    message(from, message) {
      if (message.type === 'beat') seat?.heard(from.node, message);
      if (message.type === 'retarget' && mayControl(from, host.self)) retarget(message.targets);
    },
    stream(_from, opening, stream) {
      return isConnection(opening) ? accept(opening, stream) : undefined;
    },
    disconnected(node) {
      // Its process ended: the next connection need not find that out.
      const target = targets.find(({ id }) => id === node);
      target?.eject(host.now() + ejectForUs);
    },
    drain(done) {
      const begin = (): void => {
        whenIdle = done;
        if (passages.size === 0) done();
        else windUp();
      };
      // The address first: until another one has it, users still come here.
      if (seat) seat.leave(begin);
      else begin();
    },
  };
}
