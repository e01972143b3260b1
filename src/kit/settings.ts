/**
 * Options set from outside, in place of what a design gives: `{ 'links.replicas': 5 }`. A design is
 * code, and its blocks are configured while that code runs, so what is set lies ready where every
 * option passes: `configure` asks here before it takes what was given.
 *
 *   const settings = new Settings({ 'links.replicas': '5' });
 *   const design = settings.during(() => evaluate());     every option met, some replaced
 *
 * Whatever runs within `during` is synchronous, so that nothing else can see it.
 */
import type { Knob } from './config.ts';
import type { Problem } from './errors.ts';

export type Setting = string | number | boolean;

/** By the name of a block and of an option: `links.replicas`, `edge.policy.retry.attempts`. */
export type SettingTable = Readonly<Record<string, Setting>>;

/** An option as it was met while a design was evaluated. */
export interface MetOption {
  readonly knob: Knob;
  /** As a user writes it, or the default; undefined: left out. */
  readonly value: unknown;
  /** What the design gives, where another value was set; undefined also when it gives none. */
  readonly instead?: unknown;
  readonly isSet: boolean;
}

let current: Settings | undefined;

export class Settings {
  readonly #table: SettingTable;
  readonly #met = new Map<string, MetOption>();
  readonly #problems = new Map<string, Problem>();

  constructor(table: SettingTable) {
    this.#table = table;
  }

  get met(): ReadonlyMap<string, MetOption> {
    return this.#met;
  }

  /** What was set and is not allowed there. */
  get problems(): readonly Problem[] {
    return [...this.#problems.values()];
  }

  during<T>(work: () => T): T {
    const before = current;
    current = this;
    try {
      return work();
    } finally {
      current = before;
    }
  }

  has(table: string): boolean {
    return Object.keys(this.#table).some((path) => path.startsWith(`${table}.`));
  }

  settle(path: string, knob: Knob, given: unknown): unknown {
    const value = given ?? knob.preset;
    const set = Object.hasOwn(this.#table, path) ? this.#table[path] : undefined;
    const read = set === undefined ? undefined : readSetting(knob, set);
    if (read === undefined || knob.parse(read) === undefined) {
      this.#met.set(path, { knob, value, isSet: false });
      if (set === undefined) return given;
      const got = typeof set === 'string' ? `'${set}'` : String(set);
      const what = `must be ${knob.allowed}, got ${got}`;
      this.#problems.set(path, { at: path, what });
      return given;
    }
    this.#met.set(path, { knob, value: read, instead: value, isSet: true });
    return read;
  }
}

/** The value of an option: what was set from outside, else what the design gives. */
export function settle(path: string, knob: Knob, given: unknown): unknown {
  return current === undefined ? given : current.settle(path, knob, given);
}

/** Whether an option of this table was set from outside: it may then be a table that the design leaves out. */
export function isSetIn(table: string): boolean {
  return current?.has(table) ?? false;
}

/** On a command line and in a form everything is text: `'5'` is a count, `'20%'` a ratio, `'800'` a rate. */
function readSetting(knob: Knob, set: Setting): unknown {
  if (knob.unit === 'rate' && /^\d+(\.\d+)?$/.test(String(set))) return `${set}/s`;
  if (typeof set !== 'string') return set;
  const text = set.trim();
  switch (knob.unit) {
    case 'count':
      return /^\d+$/.test(text) ? Number(text) : set;
    case 'ratio':
      if (/^\d+(\.\d+)?%$/.test(text)) return Number(text.slice(0, -1)) / 100;
      return /^\d+(\.\d+)?$/.test(text) ? Number(text) : set;
    case 'flag':
      return text === 'true' ? true : text === 'false' ? false : set;
    default:
      return text;
  }
}
