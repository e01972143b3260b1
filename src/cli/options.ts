/**
 * Values of options, checked together: whoever mistypes two of them is told about both. Used as
 *
 *   const given = new Given(options)
 *   const forUs = given.duration('for')
 *   given.check()        throws `bad-option` with everything that is wrong
 */
import type { Command } from 'commander';
import type { Micros } from '../host/host.ts';
import { show } from '../kit/config.ts';
import { type Problem, refuse } from '../kit/errors.ts';
import { parseBytes, parseDuration, parseRate, ratePerSec } from '../kit/units.ts';

export type RawOptions = Readonly<Record<string, unknown>>;

export class Given {
  readonly #options: RawOptions;
  readonly #problems: Problem[] = [];

  constructor(options: RawOptions) {
    this.#options = options;
  }

  /** Names the option as users type it. */
  problem(name: string, what: string): undefined {
    this.#problems.push({ at: `--${dashed(name)}`, what });
    return undefined;
  }

  check(): void {
    if (this.#problems.length > 0) refuse('bad-option', 'the command line', this.#problems);
  }

  has(name: string): boolean {
    return this.#options[name] !== undefined;
  }

  flag(name: string): boolean {
    return this.#options[name] === true;
  }

  text(name: string): string | undefined {
    const value = this.#options[name];
    return typeof value === 'string' ? value : undefined;
  }

  texts(name: string): readonly string[] {
    const value = this.#options[name];
    return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [];
  }

  duration(name: string, example = '30s', minUs: Micros = 1): Micros | undefined {
    return this.#parsed(name, `a duration such as '${example}'`, (text) => {
      const us = parseDuration(text);
      return us !== undefined && us >= minUs ? us : undefined;
    });
  }

  bytes(name: string): number | undefined {
    return this.#parsed(name, `a size such as '500' or '4kB'`, (text) =>
      /^\d+$/.test(text) ? Number(text) : parseBytes(text),
    );
  }

  /** `'200'` and `'200/s'` are the same; `'10/min'` is less. */
  rate(name: string): number | undefined {
    return this.#parsed(name, `a rate such as '200' or '200/s', above zero`, (text) => {
      const parsed = parseRate(text);
      const perSec = parsed ? ratePerSec(parsed) : Number(text);
      return perSec > 0 && Number.isFinite(perSec) ? perSec : undefined;
    });
  }

  whole(name: string, min = 0, max = Number.MAX_SAFE_INTEGER): number | undefined {
    const limit = max === Number.MAX_SAFE_INTEGER ? `at least ${min}` : `from ${min} to ${max}`;
    return this.#parsed(name, `a whole number, ${limit}`, (text) => {
      const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
      return value >= min && value <= max ? value : undefined;
    });
  }

  number(name: string, min: number, max: number, allowed: string): number | undefined {
    return this.#parsed(name, allowed, (text) => {
      const value = /^\d+(\.\d+)?%$/.test(text) ? Number(text.slice(0, -1)) / 100 : Number(text);
      return value >= min && value <= max ? value : undefined;
    });
  }

  choice<const C extends string>(name: string, choices: readonly C[]): C | undefined {
    return this.#parsed(name, `one of ${choices.join(', ')}`, (text) =>
      choices.find((one) => one === text),
    );
  }

  #parsed<T>(name: string, allowed: string, parse: (text: string) => T | undefined): T | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const value = parse(text.trim());
    return value ?? this.problem(name, `must be ${allowed}, got ${show(text)}`);
  }
}

/** For options that may be given several times. */
export function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

/** The options that stand on the command line, as they could be typed again; those of `without` aside. */
export function givenAgain(command: Command, without: readonly string[]): readonly string[] {
  return command.options.flatMap((option) => {
    const name = option.attributeName();
    if (without.includes(name) || command.getOptionValueSource(name) !== 'cli') return [];
    const value: unknown = command.getOptionValue(name);
    if (typeof value === 'boolean') return [option.long ?? ''];
    return [value].flat().map((one) => `${option.long} ${quoted(String(one))}`);
  });
}

/** As a shell takes it. */
export function quoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

function dashed(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
