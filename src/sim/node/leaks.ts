/**
 * Who is still waiting when a run ends. Under a synchronous drain a handler that awaits something
 * the simulation does not know never goes on, and with other traffic running nothing would show
 * it. So every handler is opened and closed here, and what stays open is named.
 */
import { createHook } from 'node:async_hooks';
import type { Micros } from '../../host/host.ts';
import { formatDuration } from '../../kit/units.ts';
import { IdMap } from '../../parts/id-map.ts';
import { current, isLoading } from './scope.ts';

/** What `open` gave, to be closed. */
export type Token = number;

interface Open {
  readonly node: string;
  readonly what: string;
  readonly sinceUs: Micros;
}

export interface Stuck {
  readonly node: string;
  /** `GET /links/:code`, `batch of clicks`. */
  readonly what: string;
  readonly sinceUs: Micros;
  /** Kinds of platform resources that code of this node began and that never ended; when traced. */
  readonly waitsFor: readonly string[];
}

/** Resources that are finished by the drain itself, or that no one can wait for. */
const harmless = new Set([
  'PROMISE',
  'TickObject',
  'Microtask',
  'Timeout',
  'Immediate',
  'RANDOMBYTESREQUEST_SYNC',
  'SCRIPT',
]);

const meanings: Readonly<Record<string, string>> = {
  FSREQCALLBACK: 'a file (fs)',
  FSREQPROMISE: 'a file (fs)',
  FILEHANDLE: 'a file (fs)',
  GETADDRINFOREQWRAP: 'a name look-up (dns)',
  QUERYWRAP: 'a name look-up (dns)',
  TCPCONNECTWRAP: 'a connection (net)',
  TCPWRAP: 'a connection (net)',
  TCPSERVERWRAP: 'a server (net)',
  HASHREQUEST: 'crypto on another thread',
  HMACREQUEST: 'crypto on another thread',
  SIGNREQUEST: 'crypto on another thread',
  CIPHERREQUEST: 'crypto on another thread',
  PBKDF2REQUEST: 'crypto on another thread',
  SCRYPTREQUEST: 'crypto on another thread',
  KEYPAIRGENREQUEST: 'crypto on another thread',
  RANDOMBYTESREQUEST: 'crypto on another thread',
  ZLIB: 'compression on another thread',
  MESSAGEPORT: 'a MessageChannel',
  WORKER: 'a worker thread',
  PROCESSWRAP: 'a child process',
};

interface Interval {
  readonly node: string;
  readonly delayUs: Micros;
}

/** Those that run, while somebody traces. */
let intervals: Map<object, Interval> | undefined;

/** What a module begins while it loads is to run as long as its node does, and is no leak. */
export function intervalBegan(timer: object, node: string, delayUs: Micros): void {
  if (!isLoading()) intervals?.set(timer, { node, delayUs });
}

export function intervalEnded(timer: object): void {
  intervals?.delete(timer);
}

export class Leaks {
  readonly #open = new IdMap<Open>();
  #nextToken = 1;
  #stopTracing: (() => void) | undefined;
  /** Unfinished resources, by id. */
  readonly #resources = new Map<number, { readonly node: string; readonly kind: string }>();

  open(node: string, what: string, nowUs: Micros): Token {
    const token = this.#nextToken++;
    this.#open.set(token, { node, what, sinceUs: nowUs });
    return token;
  }

  close(token: Token): void {
    this.#open.take(token);
  }

  /** A crash ends a node's handlers without closing them. */
  forget(node: string): void {
    for (const token of this.#open.ids()) {
      if (this.#open.get(token)!.node === node) this.#open.take(token);
    }
    for (const [id, one] of this.#resources) if (one.node === node) this.#resources.delete(id);
    for (const [timer, one] of intervals ?? []) if (one.node === node) intervals?.delete(timer);
  }

  get openCount(): number {
    return this.#open.size;
  }

  /** Oldest first. */
  stuck(): Stuck[] {
    return this.#open.ids().map((token) => {
      const one = this.#open.get(token)!;
      return { ...one, waitsFor: this.#kindsOf(one.node) };
    });
  }

  /** Intervals that somebody began again and again and nobody ends; when traced. One of a kind may be meant to stay. */
  uncleared(): string[] {
    const counts = new Map<string, number>();
    for (const { node, delayUs } of intervals?.values() ?? []) {
      const kind = `${node}: setInterval of ${formatDuration(delayUs)}`;
      counts.set(kind, (counts.get(kind) ?? 0) + 1);
    }
    return [...counts]
      .filter(([, count]) => count > 1)
      .map(([kind, count]) => `${kind} begun and never cleared, ${count} times`);
  }

  /** Watches what nodes begin from now on; about 13 % slower, so for `--check` only. */
  trace(): void {
    if (this.#stopTracing) return;
    intervals = new Map();
    const resources = this.#resources;
    const hook = createHook({
      init(id, kind) {
        if (current === undefined || harmless.has(kind)) return;
        resources.set(id, { node: current.node, kind });
      },
      after: (id) => resources.delete(id),
      destroy: (id) => resources.delete(id),
    }).enable();
    this.#stopTracing = () => hook.disable();
  }

  stopTracing(): void {
    this.#stopTracing?.();
    this.#stopTracing = undefined;
    intervals = undefined;
  }

  #kindsOf(node: string): string[] {
    const kinds = new Set<string>();
    for (const one of this.#resources.values()) {
      if (one.node === node) kinds.add(meanings[one.kind] ?? one.kind);
    }
    return [...kinds].sort();
  }
}
