/** Options in place of the design's: what the inspector changed, and what the next run is given. */
export type OptionValue = string | number | boolean;
/** By `block.option`: `links.replicas`. */
export type Edits = Readonly<Record<string, OptionValue>>;
export type Options = Readonly<Record<string, Readonly<Record<string, OptionValue>>>>;

export function withEdit(edits: Edits, options: Options, key: string, value: OptionValue): Edits {
  const { [key]: _, ...rest } = edits;
  return value === optionOf(options, key) ? rest : { ...rest, [key]: value };
}

export function withoutEdit(edits: Edits, key: string): Edits {
  const { [key]: _, ...rest } = edits;
  return rest;
}

/** Edits that the design as it now stands still has a place for, and that still change something. */
export function stillEdits(edits: Edits, options: Options): Edits {
  const kept = Object.entries(edits).filter(([key, value]) => {
    const own = optionOf(options, key);
    return own !== undefined && own !== value;
  });
  return kept.length === Object.keys(edits).length ? edits : Object.fromEntries(kept);
}

export function optionOf(options: Options, key: string): OptionValue | undefined {
  const dot = key.indexOf('.');
  return options[key.slice(0, dot)]?.[key.slice(dot + 1)];
}

/** As the command line takes them. */
export function editsText(edits: Edits): readonly string[] {
  return Object.entries(edits).map(([key, value]) => `--set ${key}=${value}`);
}
