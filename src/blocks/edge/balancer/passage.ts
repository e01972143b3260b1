/**
 * One connection on its way through: first a target that takes it, then its bytes, both ways.
 *
 *   accepted ─▶ asking a target ─opened─▶ passing ─▶ over
 *                  │      ▲ the next one
 *                  └ refused, silent too long
 *
 * Nothing is read from the user before a target took the connection, so that it can be offered to
 * another one whole.
 */
import type { Connection } from '../../../host/connection.ts';
import type { Host, Micros, Timer } from '../../../host/host.ts';
import type { Chunk, Stream, StreamClose, StreamEvents } from '../../../host/stream.ts';
import { Intake, splice } from '../../../parts/stream.ts';
import type { Target } from './target.ts';

export interface PassageOptions {
  readonly host: Host;
  readonly connection: Connection;
  readonly stream: Stream;
  readonly connectTimeoutUs: Micros;
  readonly passCostUs: Micros;
  readonly tries: number;
  /** The next to ask; undefined: nobody is left. */
  readonly pick: (except: Target | undefined) => Target | undefined;
  /** It did not take the connection. */
  readonly declined: (target: Target) => void;
  readonly passing: (target: Target, waitedUs: Micros) => void;
  /** So many bytes passed: to the target, or back to the user. */
  readonly passed: (bytes: number, isBack: boolean) => void;
  /** Once. `untaken`: no target took it; else how it ended. */
  readonly over: (how: StreamClose | 'untaken') => void;
}

export class Passage {
  /** For the world: what the user does. */
  readonly events: StreamEvents;
  readonly #options: PassageOptions;
  readonly #intake: Intake;
  readonly #startedAt: Micros;
  #far: Stream | undefined;
  #target: Target | undefined;
  #timer: Timer | undefined;
  #tries = 0;
  #isPassing = false;
  #isOver = false;
  /** Since when nothing came; and whether the last that came was for the user. */
  #quietSince: Micros;
  #isAnswered = true;

  constructor(options: PassageOptions) {
    this.#options = options;
    this.#startedAt = options.host.now();
    this.#quietSince = this.#startedAt;
    this.#intake = new Intake(options.stream);
    const { events } = this.#intake;
    this.events = {
      ...events,
      closed: (how) => {
        // Until a target took it, nobody else listens.
        if (this.#isPassing) return events.closed(how);
        this.#finish(how);
      },
    };
  }

  get target(): Target | undefined {
    return this.#target;
  }

  begin(): void {
    this.#ask(undefined);
  }

  /** Ends it if it looks idle: nothing under way since `at`. */
  endIfQuiet(since: Micros): void {
    if (!this.#isPassing || !this.#isAnswered || this.#quietSince > since) return;
    this.#options.stream.end();
    this.#far?.end();
  }

  cut(): void {
    this.#options.stream.reset();
    this.#finish('reset');
  }

  #ask(except: Target | undefined): void {
    const { host, pick, tries, connection, connectTimeoutUs } = this.#options;
    const target = this.#tries++ < tries ? pick(except) : undefined;
    if (!target) {
      this.#options.stream.reset();
      return this.#finish('untaken');
    }
    this.#target = target;
    target.open++;
    let reader: StreamEvents | undefined;
    const far = host.connect(
      target.address,
      {
        opened: () => {
          if (this.#far === far) reader = this.#pass(far);
        },
        data: (chunk) => {
          this.#sign(chunk, true);
          reader?.data(chunk);
        },
        ready: () => reader?.ready?.(),
        ended: (last) => reader?.ended?.(last),
        closed: (how) => {
          if (reader) reader.closed(how);
          else if (this.#far === far) this.#decline(target);
        },
      },
      connection,
    );
    this.#far = far;
    this.#timer = host.after(connectTimeoutUs, () => {
      if (this.#far !== far || this.#isPassing) return;
      far.reset();
      this.#decline(target);
    });
  }

  #decline(target: Target): void {
    this.#leave();
    this.#options.declined(target);
    if (!this.#isOver) this.#ask(target);
  }

  #pass(far: Stream): StreamEvents | undefined {
    const { host, passing } = this.#options;
    this.#timer?.cancel();
    this.#isPassing = true;
    passing(this.#target!, host.now() - this.#startedAt);
    let reader: StreamEvents | undefined;
    const intake = {
      stream: this.#options.stream,
      attach: (events: StreamEvents) =>
        this.#intake.attach({
          ...events,
          data: (chunk: Chunk) => {
            this.#sign(chunk, false);
            events.data(chunk);
          },
        }),
    };
    splice(
      intake,
      (events) => {
        reader = events;
        return far;
      },
      (how) => this.#finish(how),
    );
    return reader;
  }

  #sign(chunk: Chunk, isBack: boolean): void {
    const { host, passCostUs, passed } = this.#options;
    this.#quietSince = host.now();
    this.#isAnswered = isBack;
    passed(chunk.length, isBack);
    // Work of the kernel, mostly: it takes a core, and nobody waits for it here.
    if (passCostUs > 0) host.cpu.charge(passCostUs, () => {});
  }

  #leave(): void {
    this.#timer?.cancel();
    this.#far = undefined;
    if (this.#target) this.#target.open--;
    this.#target = undefined;
  }

  #finish(how: StreamClose | 'untaken'): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const far = this.#far;
    this.#leave();
    if (how !== 'done') far?.reset();
    this.#options.over(how);
  }
}
