/**
 * Finds out which few entries of a long list make something fail: delta debugging (Zeller and
 * Hildebrandt, "Simplifying and isolating failure-inducing input", 2002), then each entry that is
 * left is made simpler as long as it still fails.
 *
 *   1,000 entries   try either half; the half that fails is the list now
 *   …               neither does: try leaving out one quarter, one eighth …
 *   2 entries       neither can go: try a shorter outage, one node rather than a zone
 *
 * An attempt is a whole simulation, so attempts are what is counted and limited. Nothing is tried
 * twice. One culprit among a thousand takes about 20 attempts, two take 40 to 60.
 */

export interface ShrinkOptions {
  /** Called after each attempt with the shortest schedule so far. */
  readonly onProgress?: (progress: { readonly attempts: number; readonly length: number }) => void;
  /** Default 500. Then the best so far is the answer. */
  readonly attemptsMax?: number;
}

export interface Shrunk<T> {
  /** Still fails, and no single entry of it can go (unless attempts ran out). */
  readonly schedule: readonly T[];
  readonly attempts: number;
}

/**
 * `fails` must be deterministic, and true of `schedule` itself: that is not tried again. `simplify`
 * gives simpler forms of an entry, the simplest first; a form must be simpler than what it came
 * from, or this never ends before `attemptsMax`.
 */
export async function shrink<T>(
  schedule: readonly T[],
  fails: (candidate: readonly T[]) => boolean | Promise<boolean>,
  simplify?: (item: T) => Iterable<T>,
  options: ShrinkOptions = {},
): Promise<Shrunk<T>> {
  const attemptsMax = options.attemptsMax ?? 500;
  let best = schedule;
  let attempts = 0;
  const tried = new Set<string>();
  const names = new Map<T, number>();

  /** Entries are told apart by identity: two equal faults are two faults. */
  const nameOf = (candidate: readonly T[]): string =>
    candidate
      .map((item) => {
        const name = names.get(item) ?? names.size;
        names.set(item, name);
        return name;
      })
      .join(' ');

  // The same objects each time, so that a form refused once is known when it is met again.
  const forms = new Map<T, readonly T[]>();
  const formsOf = (item: T): readonly T[] => {
    const known = forms.get(item) ?? [...(simplify?.(item) ?? [])];
    forms.set(item, known);
    return known;
  };

  const attempt = async (candidate: readonly T[]): Promise<boolean> => {
    const name = nameOf(candidate);
    if (attempts >= attemptsMax || tried.has(name)) return false;
    tried.add(name);
    attempts++;
    const failed = await fails(candidate);
    if (failed) best = candidate;
    options.onProgress?.({ attempts, length: best.length });
    return failed;
  };

  /** A failing chunk alone, or a failing rest without it; false when neither is there. */
  const cut = async (size: number): Promise<'chunk' | 'rest' | undefined> => {
    const whole = best;
    if (size * 2 >= whole.length || whole.length <= 8) {
      // Few chunks: one of them alone may do, which is the greatest step.
      for (let from = 0; from < whole.length; from += size) {
        if (await attempt(whole.slice(from, from + size))) return 'chunk';
      }
    }
    let removed: 'rest' | undefined;
    for (let from = 0; from < best.length; ) {
      const rest = [...best.slice(0, from), ...best.slice(from + size)];
      // The place of what is removed is taken by what follows it, so stay there.
      if (await attempt(rest)) removed = 'rest';
      else from += size;
    }
    return removed;
  };

  /** Entries removed until none can go alone. */
  const minimise = async (): Promise<void> => {
    if (best.length > 0 && (await attempt([]))) return;
    let size = Math.ceil(best.length / 2);
    while (best.length > 1 && attempts < attemptsMax) {
      const found = await cut(size);
      if (found === 'chunk') size = Math.ceil(best.length / 2);
      else if (size > 1) size = Math.ceil(Math.min(size, best.length) / 2);
      else if (!found) return;
    }
  };

  await minimise();
  for (let simpler = simplify !== undefined; simpler && attempts < attemptsMax; ) {
    simpler = false;
    for (let i = 0; i < best.length; i++) {
      for (const form of formsOf(best[i]!)) {
        if (!(await attempt([...best.slice(0, i), form, ...best.slice(i + 1)]))) continue;
        simpler = true;
        // From the simpler form on again: its own forms are simpler still.
        i--;
        break;
      }
    }
    // What was needed for a long outage may not be for a short one.
    if (simpler) await minimise();
  }
  return { schedule: best, attempts };
}
