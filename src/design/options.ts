/**
 * The options of a design's blocks as users write them, for a form: each with its knob, defaults
 * filled in, nested tables under dotted names (`policy.retry.attempts`).
 */
import type { Block } from '../host/declaration.ts';
import type { Knob, Knobs } from '../kit/config.ts';
import type { MetOption, Setting } from '../kit/settings.ts';
import type { System } from './system.ts';

/** A knob as plain data. */
export interface KnobView {
  readonly name: string;
  readonly unit: string;
  /** As a user would write it; null: none. */
  readonly preset: string | number | boolean | null;
  readonly choices: readonly string[] | null;
  /** In words. */
  readonly allowed: string;
  readonly doc: string;
}

/** Every option of a kind of block, nested ones included. */
export function knobsOf(block: Block): readonly KnobView[] {
  return Object.entries(allKnobs(block)).map(([name, knob]) => ({
    name,
    unit: knob.unit,
    preset: settingOf(knob, knob.preset) ?? null,
    choices: knob.choices ?? null,
    allowed: knob.allowed,
    doc: knob.doc,
  }));
}

/** By block, then by option; what is left out and has no default is absent. */
export type OptionTable = Readonly<Record<string, Readonly<Record<string, Setting>>>>;

/** Of a design made by `configured`; of any other nothing is known. */
export function optionsOf(design: System): OptionTable {
  const blocks = blocksOf(design).map(({ name, block }) => {
    const options: Record<string, Setting> = {};
    for (const option of Object.keys(allKnobs(block))) {
      const met = design.options?.get(`${name}.${option}`);
      const value = met && settingOf(met.knob, met.value);
      if (value !== undefined) options[option] = value;
    }
    return [name, options] as const;
  });
  return Object.fromEntries(blocks);
}

/** What was set in place of what the design gives, one line each: `with links.replicas = 5 instead of 3`. */
export function changesOf(options: ReadonlyMap<string, MetOption> | undefined): readonly string[] {
  return [...(options ?? [])].flatMap(([path, { knob, value, instead, isSet }]) => {
    if (!isSet) return [];
    const [now, before] = [settingOf(knob, value), settingOf(knob, instead)];
    if (now === before) return [];
    const given = instead === undefined ? 'none' : 'what the design gives';
    return [`with ${path} = ${now} instead of ${before ?? given}`];
  });
}

/** The blocks of a design by name, the users included. */
export function blocksOf(
  design: System,
): readonly { readonly name: string; readonly block: Block }[] {
  const crowd = design.workload?.declare(design.entry);
  return crowd ? [...design.declarations, crowd] : design.declarations;
}

/** All of a block, those of its tables under dotted names. */
export function allKnobs(block: Block): Knobs {
  const { '': beside = {}, ...nested } = block.tables ?? {};
  const named = Object.entries(nested).flatMap(([table, knobs]) =>
    Object.entries(knobs).map(([name, knob]) => [`${table}.${name}`, knob] as const),
  );
  return { ...beside, ...block.knobs, ...Object.fromEntries(named) };
}

function settingOf(knob: Knob, value: unknown): Setting | undefined {
  if (value === undefined) return undefined;
  if (typeof value === 'number' || typeof value === 'boolean') return value;
  if (typeof value === 'string') return value;
  return knob.print?.(value);
}
