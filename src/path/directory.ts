/**
 * Who serves a name, as a caller's node knows it: what the client half of a registry offers the
 * fetchers and gateways beside it. Who is behind it (one registry, several, a cluster with
 * consensus) no caller can tell.
 *
 *   directory.follow('search', (releases) => caller.retarget(…))
 *   call ──▶ is anybody known? ──▶ caller ──▶ outcome ──▶ directory: is the list still any good?
 */
import type { ProgramCode } from '../host/declaration.ts';
import type { Host, Micros } from '../host/host.ts';
import type { DirectoryPlace } from '../host/path.ts';
import { assert } from '../kit/assert.ts';
import type { Caller, Outcome, Targets } from './caller.ts';
import { memberOf } from './instance.ts';

export interface Directory {
  /** Says who serves `service`, by release: now if that is known, and whenever it changes. */
  follow(service: string, changed: (releases: Targets['releases']) => void): void;
  /** Calls `then` once somebody is known to serve it, or at `untilAt`. What it returns forgets it. */
  whenKnown(service: string, untilAt: Micros, then: () => void): () => void;
  isKnown(service: string): boolean;
  /** How a call to it ended: after failures the list is fetched again. */
  outcome(service: string, served: boolean): void;
}

/** What keeps an instance listed, where instances do that for themselves: the same half of a registry, on its node. */
export interface Registration {
  /** Takes this instance out of every list; calls `then` when nobody who heard of it should call any more. */
  leave(then: () => void): void;
}

export function registrationAt(
  open: ProgramCode['open'],
  port: string | null,
): Registration | undefined {
  return port === null ? undefined : (open.get(port)?.api as Registration | undefined);
}

/** What calls a service. */
export type Way = Pick<Caller, 'call'>;

/** Calls whom the plan names, or, where the service has a directory, whom that does. */
export function wayTo(options: {
  readonly host: Host;
  readonly caller: Caller;
  readonly service: string;
  readonly traffic: Targets['traffic'];
  readonly place: DirectoryPlace | null | undefined;
  readonly open: ProgramCode['open'];
}): Way {
  const { caller, place, open } = options;
  if (!place) return caller;
  const half = open.get(place.port);
  assert(half, `the half of ${place.port} is open before whoever needs it`);
  const call = discovering({ ...options, directory: half.api as Directory, place });
  return { call };
}

/** The same, where they take requests at a door of their own: a proxy beside each. */
function at(port: string, releases: Targets['releases']): Targets['releases'] {
  const moved = Object.entries(releases).map(([release, members]) => {
    return [release, members.map((one) => ({ ...memberOf(one), port }))] as const;
  });
  return Object.fromEntries(moved);
}

function discovering(options: {
  readonly host: Host;
  readonly caller: Caller;
  readonly service: string;
  readonly traffic: Targets['traffic'];
  readonly directory: Directory;
  readonly place: DirectoryPlace;
}): Way['call'] {
  const { host, caller, service, traffic, directory } = options;
  const { waitUs, door } = options.place;
  directory.follow(service, (releases) =>
    caller.retarget({ releases: door ? at(door, releases) : releases, traffic }),
  );

  return (asked, deadlineAt, done) => {
    const judged = (outcome: Outcome): void => {
      directory.outcome(service, outcome.ok && outcome.reply.status < 502);
      done(outcome);
    };
    if (directory.isKnown(service)) return caller.call(asked, deadlineAt, judged);
    // Nobody is known yet: a node that has just booted would refuse what it can serve in a moment.
    const patientUntil = host.now() + waitUs;
    const untilAt = deadlineAt === undefined ? patientUntil : Math.min(patientUntil, deadlineAt);
    let giveUp: (() => void) | undefined;
    const go = (): void => {
      giveUp = caller.call(asked, deadlineAt, judged);
    };
    const forget = directory.whenKnown(service, untilAt, host.causes ? host.causes.queued(go) : go);
    return () => {
      if (giveUp) giveUp();
      else forget();
    };
  };
}
