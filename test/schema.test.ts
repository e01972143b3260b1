/** The published schema of modelled designs is the one that the knob tables give. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { systemFromJson } from '../src/design/json.ts';
import { designSchema } from '../src/design/schema.ts';
import { type Report, simulate } from '../src/index.ts';
import { exists, read, root } from './checkout.ts';

const path = 'schema/design.schema.json';
const rewriting = process.env.REWRITE === '1';

describe(path, () => {
  test('is what the tables of the blocks give', () => {
    const expected = `${JSON.stringify(designSchema(), null, 2)}\n`;
    if (rewriting) writeFileSync(join(root, path), expected);
    expect(exists(path) && read(path) === expected, 'run `npm run rewrite`').toBe(true);
  });

  test.each(['examples/three-tier/design.json', 'bench/designs/three-services.json'])(
    '%s fits it, names it and runs',
    async (design) => {
      const data = JSON.parse(read(design)) as Record<string, unknown>;
      expect(data.$schema).toBe('../../schema/design.schema.json');
      expect(misfits(data, designSchema() as Schema)).toEqual([]);
      const report: Report = await simulate(systemFromJson(data), { for: '2s' });
      expect(report.completed).toBeGreaterThan(100);
      expect(report.failed).toBe(0);
    },
  );

  test('refuses what the reader refuses: an unknown option, an unknown kind, a bare number', () => {
    const schema = designSchema() as Schema;
    const good = JSON.parse(read('bench/designs/three-services.json')) as {
      blocks: Record<string, unknown>[];
    };
    const [first, ...others] = good.blocks;
    for (const wrong of [{ instancez: 3 }, { kind: 'kv' }, { cost: 5 }]) {
      const bad = { ...good, blocks: [{ ...first, ...wrong }, ...others] };
      expect(misfits(bad, schema).length, JSON.stringify(wrong)).toBeGreaterThan(0);
      expect(() => systemFromJson(bad), JSON.stringify(wrong)).toThrow();
    }
  });
});

/** The part of JSON Schema that ours uses. */
interface Schema {
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, Schema>>;
  readonly type?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: boolean | Schema;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
}

/** Where `value` does not fit `schema`. Enough of a validator for a schema of our own making. */
function misfits(value: unknown, schema: Schema, top: Schema = schema, at = '$'): string[] {
  if (schema.$ref) {
    return misfits(value, top.$defs![schema.$ref.slice('#/$defs/'.length)]!, top, at);
  }
  const found: string[] = [];
  const bad = (what: string) => found.push(`${at}: ${what}`);
  const choices = schema.oneOf ?? schema.anyOf;
  if (choices) {
    const fits = choices.filter((choice) => misfits(value, choice, top, at).length === 0).length;
    if (schema.oneOf ? fits !== 1 : fits === 0) bad(`fits ${fits} of ${choices.length}`);
  }
  if (schema.type && typeOf(value) !== schema.type) {
    if (!(schema.type === 'number' && typeOf(value) === 'integer')) bad(`is no ${schema.type}`);
  }
  if ('const' in schema && value !== schema.const) bad(`is not ${String(schema.const)}`);
  if (schema.enum && !schema.enum.includes(value)) bad(`is none of ${schema.enum.join(', ')}`);
  if (schema.pattern && typeof value === 'string' && !new RegExp(schema.pattern).test(value)) {
    bad(`does not match ${schema.pattern}`);
  }
  if (typeof value === 'number') {
    if (value < (schema.minimum ?? value) || value > (schema.maximum ?? value)) bad('out of range');
    if (schema.exclusiveMinimum !== undefined && value <= schema.exclusiveMinimum) bad('too small');
  }
  if (Array.isArray(value)) {
    value.forEach((item, index) => {
      if (schema.items) found.push(...misfits(item, schema.items, top, `${at}[${index}]`));
    });
  } else if (typeof value === 'object' && value !== null) {
    for (const name of schema.required ?? []) if (!(name in value)) bad(`lacks ${name}`);
    for (const [name, field] of Object.entries(value)) {
      const known = schema.properties?.[name] ?? schema.additionalProperties;
      if (known === false) bad(`knows no ${name}`);
      if (typeof known === 'object') found.push(...misfits(field, known, top, `${at}.${name}`));
    }
  }
  return found;
}

function typeOf(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  if (Number.isInteger(value)) return 'integer';
  return value === null ? 'null' : typeof value;
}
