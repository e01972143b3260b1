/**
 * `--set links.replicas=5`: a design with other options than it gives itself, code or data,
 * without touching it. Mistakes are found before anything runs, as those in a design are.
 */
import { nearest } from '../kit/config.ts';
import { LoadpathError, type Problem, refuse } from '../kit/errors.ts';
import { Settings, type SettingTable } from '../kit/settings.ts';
import { allKnobs, blocksOf, changesOf } from './options.ts';
import type { System } from './system.ts';

/**
 * Makes a design with `set` in place of what it gives, and remembers every option it met on the
 * way. `make` evaluates the design's modules: blocks are configured while they run. Throws
 * `LoadpathError` ('bad-option') naming everything in `set` that cannot be.
 */
export function configured(make: () => System, set: SettingTable = {}): System {
  const settings = new Settings(set);
  let design: System;
  try {
    design = settings.during(make);
  } catch (failure) {
    if (settings.problems.length > 0) return refuse('bad-option', subject, settings.problems);
    throw withChanges(failure, changesOf(settings.met));
  }
  const problems = [...settings.problems, ...strangers(design, settings, set)];
  if (problems.length > 0) return refuse('bad-option', subject, problems);
  return { ...design, options: settings.met };
}

const subject = 'what is set';

/** What was set and met no option of this design. */
function strangers(design: System, settings: Settings, set: SettingTable): Problem[] {
  if (Object.keys(set).length === 0) return [];
  const blocks = new Map(blocksOf(design).map(({ name, block }) => [name, block]));
  return Object.keys(set).flatMap((path) => {
    const dot = path.indexOf('.');
    const name = dot < 0 ? path : path.slice(0, dot);
    const block = blocks.get(name);
    if (!block) {
      const what = `there is no block ${name}; ${guess(name, [...blocks.keys()])}`;
      return { at: path, what };
    }
    const names = Object.keys(allKnobs(block));
    if (dot < 0) {
      return { at: path, what: `name an option of it too, such as ${path}.${names[0] ?? ''}` };
    }
    const option = path.slice(dot + 1);
    if (!names.includes(option)) {
      const what = `${block.kind} has no such option; ${guess(option, names)}`;
      return { at: path, what };
    }
    if (settings.met.has(path)) return [];
    return { at: path, what: 'this design has no use for it' };
  });
}

function guess(wrong: string, names: readonly string[]): string {
  const near = nearest(wrong, names);
  return near ? `did you mean ${near}?` : `there are ${names.join(', ')}`;
}

/** A relation between options may break by what was set: the design alone would not explain it. */
function withChanges(failure: unknown, changes: readonly string[]): unknown {
  if (!(failure instanceof LoadpathError) || changes.length === 0) return failure;
  const { code, message, problems } = failure;
  return new LoadpathError(code, `${message}\n(${changes.join('; ')})`, {
    problems,
    cause: failure,
  });
}
