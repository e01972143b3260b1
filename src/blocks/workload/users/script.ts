/**
 * What a user does: the design's `setup` and `act`, or, without `act`, one GET of `/` a visit.
 * Asynchronous user code runs through `run`, so that the world accounts for it.
 */
import type { ProgramCode } from '../../../host/declaration.ts';
import type { Host, Micros } from '../../../host/host.ts';
import type { Inlet } from '../../../host/stream.ts';
import { sampler } from '../../../kit/distribution.ts';
import { Unavailable } from '../../../kit/errors.ts';
import type { Random } from '../../../kit/random.ts';
import { closeCodes } from '../../../parts/socket.ts';
import { type RequestParts, requestParts, signalOf, toResponse } from '../../../parts/web.ts';
import { type Asked, askedOf } from '../../../path/caller.ts';
import type { CrowdConfig, Visit } from './config.ts';
import {
  type ConnectOptions,
  protocolOf,
  type UserSocket,
  upgradeOf,
  userSocket,
} from './socket.ts';
import type { Tally } from './tally.ts';
import type { Wire } from './wire.ts';

/** One user, for one visit. */
export interface User {
  /** 0 … population - 1. */
  readonly id: number;
  /** The same for each visit of this user. */
  readonly ip: string;
  /** The only source of chance that keeps a run repeatable: this visit's own stream. */
  readonly random: Random;
  /**
   * Sends a request to the system; a path is enough. Resolves with any reply, redirects not
   * followed. Throws `Unavailable` when there was none; it is counted either way.
   */
  fetch(input: string | URL | Request, init?: RequestInit): Promise<Response>;
  /**
   * Opens a web socket (RFC 6455) to a path of the system; its beginning counts as a request. Throws
   * `Unavailable` where there is no answer, or another than 101.
   */
  connect(path: string | URL, options?: ConnectOptions): Promise<UserSocket>;
  /** A rank 0 … count - 1, the popular ones first (exponent 1 by default). */
  zipf(count: number, exponent?: number): number;
  /** Milliseconds of virtual or real time pass. */
  sleep(ms: number): Promise<void>;
  /** The answer cannot be right: the run's verdict turns bad, with this reason. */
  complain(reason: string): void;
}

export interface UsersCode {
  readonly setup: ((user: User) => unknown) | undefined;
  readonly act: ((user: User, prepared: unknown) => unknown) | undefined;
  readonly ip: ((id: number) => string) | undefined;
}

/** What the system knows a user by. */
interface Face {
  readonly ip: string;
  readonly session: string;
}

export class Script {
  readonly #host: Host;
  readonly #config: CrowdConfig;
  readonly #wire: Wire;
  readonly #tally: Tally;
  readonly #run: ProgramCode['run'];
  readonly #code: UsersCode;
  readonly #samplers = new Map<string, (random: Random) => number>();
  /** By user. */
  readonly #faces: Face[] = [];
  readonly #looks: Asked[] = [];
  readonly #visiting: Random;
  #prepared: unknown;
  #visits = 0;
  #closed = false;
  /** Open ones of this load's visits. */
  readonly #sockets = new Set<UserSocket>();

  constructor(
    host: Host,
    config: CrowdConfig,
    wire: Wire,
    tally: Tally,
    run: ProgramCode['run'],
    code: UsersCode,
  ) {
    this.#host = host;
    this.#config = config;
    this.#wire = wire;
    this.#tally = tally;
    this.#run = run;
    this.#code = code;
    this.#visiting = host.random.fork('visits');
  }

  prepare(done: (failure?: string) => void): void {
    const { setup } = this.#code;
    if (!setup) return done();
    this.#run('setup', async () => {
      try {
        this.#prepared = await setup(this.#user(0, undefined, this.#host.random.fork('setup')));
        done();
      } catch (failure) {
        done(failure instanceof Error ? failure.message : String(failure));
      }
    });
  }

  open(): void {
    this.#closed = false;
  }

  /** No further request of this load goes out, and nobody stays on the line. */
  close(): void {
    this.#closed = true;
    for (const socket of [...this.#sockets]) void socket.close(closeCodes.normal, 'the load ended');
  }

  visit(id: number, shouldBeginAt: Micros, done?: () => void): void {
    const { act } = this.#code;
    if (!act) return this.#look(id, shouldBeginAt, done);
    const user = this.#user(id, shouldBeginAt, this.#visiting.nth(this.#visits++));
    this.#run('act', async () => {
      try {
        await act(user, this.#prepared);
      } catch (failure) {
        // No reply was counted where it happened; a user who gives up is not a second failure.
        if (!(failure instanceof Unavailable)) {
          console.error(failure);
          this.#tally.complained(failure instanceof Error ? failure.message : String(failure));
        }
      }
      done?.();
    });
  }

  repeat(visit: Visit, shouldBeginAt: Micros): void {
    const url = this.#config.origin + visit.path;
    const said = { method: visit.method, url, headers: [], body: null, ip: visit.ip };
    this.#send({ ...said, session: visit.ip }, shouldBeginAt);
  }

  #look(id: number, shouldBeginAt: Micros, done: (() => void) | undefined): void {
    this.#send(this.#looks[id] ?? this.#firstLook(id), shouldBeginAt, done);
  }

  /** What a user without a script asks for is always the same, so it is made once. */
  #firstLook(id: number): Asked {
    const url = `${this.#config.origin}/`;
    const { ip, session } = this.#face(id);
    const said = { method: 'GET', url, headers: [], body: null, ip, session };
    this.#looks[id] = said;
    return said;
  }

  #send(said: Asked, shouldBeginAt: Micros, done?: () => void): void {
    const counts = this.#tally.began();
    this.#wire.request(said, (answer) => {
      if (answer.ok) {
        answer.reply.inlet?.stream.reset();
        this.#tally.replied(counts, answer.reply.status, this.#host.now() - shouldBeginAt);
      } else this.#tally.lost(counts, answer.why, this.#host.now() - shouldBeginAt);
      done?.();
    });
  }

  #user(id: number, shouldBeginAt: Micros | undefined, random: Random): User {
    const host = this.#host;
    const { ip, session } = this.#face(id);
    const counted = shouldBeginAt !== undefined;
    let beginAt = shouldBeginAt;
    return {
      id,
      ip,
      random,
      // Not `async`: an executor that throws rejects just the same, and an await costs as much as the call.
      fetch: (input, init) =>
        new Promise((resolve, reject) => {
          const send = (parts: RequestParts): void => {
            if (counted && this.#closed) {
              return reject(new Unavailable('users', 'fetch', 'the load ended', true));
            }
            const startedAt = beginAt ?? host.now();
            // Only the first request of a visit was due at the arrival; the next ones begin when made.
            beginAt = undefined;
            const counts = counted ? this.#tally.began() : undefined;
            let isAnswered = false;
            let inlet: Inlet | undefined;
            const giveUp = this.#wire.request(askedOf(parts, ip, session), (answer) => {
              if (answer.ok) {
                this.#tally.replied(counts, answer.reply.status, host.now() - startedAt);
                inlet = answer.reply.inlet;
                resolve(toResponse(answer.reply));
              } else {
                this.#tally.lost(counts, answer.why, host.now() - startedAt);
                reject(new Unavailable('users', 'fetch', answer.why, answer.certain));
              }
              isAnswered = true;
            });
            const signal = signalOf(input, init);
            signal?.addEventListener('abort', () => {
              inlet?.stream.reset();
              if (isAnswered) return;
              isAnswered = true;
              giveUp();
              this.#tally.lost(counts, 'abandoned', host.now() - startedAt);
              reject(signal.reason);
            });
          };
          const parts = requestParts(input, init, this.#config.origin);
          if (parts instanceof Promise) parts.then(send).catch(reject);
          else send(parts);
        }),
      connect: (path, options) =>
        new Promise((resolve, reject) => {
          if (counted && this.#closed) {
            return reject(new Unavailable('users', 'connect', 'the load ended', true));
          }
          const startedAt = beginAt ?? host.now();
          beginAt = undefined;
          const counts = counted ? this.#tally.began() : undefined;
          let inlet: Inlet | undefined;
          const asked = { ...upgradeOf(path, options, this.#config.origin), ip, session };
          const opened = (it: Inlet): void => {
            inlet = it;
          };
          this.#wire.request(
            asked,
            (answer) => {
              if (!answer.ok) {
                this.#tally.lost(counts, answer.why, host.now() - startedAt);
                return reject(new Unavailable('users', 'connect', answer.why, answer.certain));
              }
              const { status, headers } = answer.reply;
              this.#tally.replied(counts, status, host.now() - startedAt);
              if (status === 101) {
                const over = (): void => void (counted && this.#sockets.delete(socket));
                const socket = userSocket(host, inlet!, protocolOf(headers), over);
                if (counted) this.#sockets.add(socket);
                return resolve(socket);
              }
              inlet?.stream.reset();
              answer.reply.inlet?.stream.reset();
              reject(new Unavailable('users', 'connect', `status ${status}`, true));
            },
            opened,
          );
        }),
      zipf: (count, exponent = 1) => this.#zipf(count, exponent)(random),
      sleep: (ms) => new Promise((resolve) => host.after(Math.round(ms * 1_000), resolve)),
      complain: (reason) => this.#tally.complained(reason),
    };
  }

  #zipf(count: number, exponent: number): (random: Random) => number {
    const name = `${count} ${exponent}`;
    let draw = this.#samplers.get(name);
    if (!draw) {
      draw = sampler({ kind: 'zipf', count, exponent });
      this.#samplers.set(name, draw);
    }
    return draw;
  }

  #face(id: number): Face {
    let face = this.#faces[id];
    if (!face) {
      face = { ip: this.#code.ip?.(id) ?? publicAddress(id), session: `u${id}` };
      this.#faces[id] = face;
    }
    return face;
  }
}

/** A public IPv4 address for a user, spread over 20.0.0.0 … 99.255.255.255. */
export function publicAddress(id: number): string {
  const mixed = Math.imul(id + 1, 0x9e3779b1) >>> 0;
  return `${20 + (mixed % 80)}.${(mixed >>> 8) & 255}.${(mixed >>> 16) & 255}.${1 + (id % 254)}`;
}
