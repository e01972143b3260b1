/**
 * One request that becomes several, in parallel, and one reply made of theirs:
 *
 *   GET /page/7 ─┬─▶ products  GET /products/7      required: without it there is no page
 *                ├─▶ ratings   GET /ratings/7       100 ms, then without
 *                └─▶ …
 *   { title, stars, … } ◀─ shape ◀─ what came in time, and what is missing by name
 *
 * A page takes as long as its slowest part instead of as long as all together, and a client need not
 * know which services there are.
 */

import type { Declaration } from '../../../host/declaration.ts';
import { configure, type OptionsOf, show } from '../../../kit/config.ts';
import type { Problem } from '../../../kit/errors.ts';
import { type AggregateConfig, type PartConfig, partKnobs, type Shape } from './config.ts';

export interface PartOptions extends OptionsOf<typeof partKnobs> {
  readonly from: Declaration;
  /** With the parameters of the route's path: `'/ratings/:id'`. The query goes along. */
  readonly path: string;
}

export interface AggregateOptions {
  readonly parts: Readonly<Record<string, PartOptions>>;
  /**
   * What the reply looks like: JSON in which `'$product.name'` stands for a value out of a part, and
   * `'$ratings.items.*.stars'` for a list of them. Default: every part under its name.
   */
  readonly shape?: Shape;
}

/** Stands in a route's `to`. */
export interface Aggregate {
  readonly kind: 'aggregate';
  readonly options: AggregateOptions;
}

export function aggregate(options: AggregateOptions): Aggregate {
  return { kind: 'aggregate', options };
}

export function isAggregate(value: unknown): value is Aggregate {
  return typeof value === 'object' && value !== null && (value as Aggregate).kind === 'aggregate';
}

/** `bind` makes a service callable by its name. */
export function readAggregate(
  at: string,
  { parts, shape }: AggregateOptions,
  problems: Problem[],
  bind: (at: string, service: Declaration) => string | undefined,
): AggregateConfig {
  const read = Object.entries(parts ?? {}).flatMap(([name, part]): PartConfig[] => {
    const place = `${at}.parts.${name}`;
    const { from, path, ...rest } = part ?? {};
    const made = configure(place, partKnobs, rest, ['from', 'path']);
    problems.push(...made.problems);
    if (!/^[A-Za-z_]\w*$/.test(name)) {
      problems.push({ at: place, what: 'a part is named as a variable is' });
    }
    if (typeof path !== 'string' || !path.startsWith('/')) {
      problems.push({ at: `${place}.path`, what: `must begin with /, got ${show(path)}` });
    }
    const service = bind(`${place}.from`, from);
    return service === undefined ? [] : [{ ...made.config, name, service, path: String(path) }];
  });
  if (Object.keys(parts ?? {}).length === 0) {
    problems.push({ at: `${at}.parts`, what: 'must have a part' });
  }
  for (const used of pathsIn(shape)) {
    const name = used.slice(1).split('.', 1)[0]!;
    if (parts && !Object.hasOwn(parts, name)) {
      problems.push({
        at: `${at}.shape`,
        what: `${used} is of no part; there are ${Object.keys(parts).join(', ')}`,
      });
    }
  }
  return { type: 'aggregate', parts: read, shape: shape ?? null };
}

function pathsIn(shape: Shape | undefined): readonly string[] {
  if (typeof shape === 'string') return shape.startsWith('$') ? [shape] : [];
  if (typeof shape !== 'object' || shape === null) return [];
  return Object.values(shape).flatMap((one) => pathsIn(one as Shape));
}

/** What came of a part: its JSON, or why there is none. */
export type PartOutcome =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly why: string };

/** The one reply. What is missing stands in it as null, and by name under `missing`. */
export function merged(
  shape: Shape | null,
  outcomes: ReadonlyMap<string, PartOutcome>,
): { readonly body: string; readonly missing: readonly string[] } {
  const values: Record<string, unknown> = {};
  const why: Record<string, string> = {};
  for (const [name, outcome] of outcomes) {
    values[name] = outcome.ok ? outcome.value : null;
    if (!outcome.ok) why[name] = outcome.why;
  }
  const page = shape === null ? values : filledIn(shape, values);
  const missing = Object.keys(why);
  const isObject = typeof page === 'object' && page !== null && !Array.isArray(page);
  const told = missing.length > 0 && isObject ? { ...page, missing: why } : page;
  return { body: JSON.stringify(told ?? null), missing };
}

function filledIn(shape: Shape, values: Readonly<Record<string, unknown>>): unknown {
  if (typeof shape === 'string') {
    return shape.startsWith('$') ? (found(values, shape.slice(1).split('.')) ?? null) : shape;
  }
  if (Array.isArray(shape)) return shape.map((one: Shape) => filledIn(one, values));
  if (typeof shape !== 'object' || shape === null) return shape;
  return Object.fromEntries(
    Object.entries(shape).map(([name, one]) => [name, filledIn(one as Shape, values)]),
  );
}

function found(value: unknown, path: readonly string[]): unknown {
  const [name, ...rest] = path;
  if (name === undefined) return value;
  if (typeof value !== 'object' || value === null) return undefined;
  if (name === '*') {
    return Array.isArray(value) ? value.map((one) => found(one, rest) ?? null) : undefined;
  }
  return Object.hasOwn(value, name)
    ? found((value as Readonly<Record<string, unknown>>)[name], rest)
    : undefined;
}
