/**
 * Golden files: prose, commands, a rule, what happened. A scene is everything up to a blank line
 * after its output; `REWRITE=1` writes what happened into the file instead of comparing.
 *
 *   # Why this scene is told.
 *   command argument name=value
 *   ----
 *   output
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

interface Scene {
  /** Prose and commands, as written. */
  readonly head: readonly string[];
  readonly output: readonly string[];
}

/** Runs the commands of one scene and gives the lines that they print. */
export type Teller = (commands: readonly string[]) => readonly string[];

/** One test a file of `directory` that ends in `ending`; `begin` is called for each. */
export function golden(directory: URL, ending: string, begin: () => Teller): void {
  const folder = fileURLToPath(directory);
  for (const name of readdirSync(folder).sort()) {
    if (!name.endsWith(ending)) continue;
    const path = join(folder, name);
    test(basename(name, ending).replaceAll('_', ' '), () => {
      const scenes = parse(readFileSync(path, 'utf8'));
      const tell = begin();
      const told = scenes.map((scene) => ({
        head: scene.head,
        output: tell(scene.head.filter((line) => line !== '' && !line.startsWith('#'))),
      }));
      if (process.env.REWRITE === '1') writeFileSync(path, print(told));
      else expect(print(told)).toBe(print(scenes));
    });
  }
}

function parse(text: string): readonly Scene[] {
  const scenes: Scene[] = [];
  let head: string[] = [];
  let output: string[] | undefined;
  for (const line of text.split('\n')) {
    if (output === undefined) {
      if (line === '----') output = [];
      else if (line !== '' || head.length > 0) head.push(line);
    } else if (line === '') {
      scenes.push({ head, output });
      head = [];
      output = undefined;
    } else {
      output.push(line);
    }
  }
  if (output !== undefined) scenes.push({ head, output });
  return scenes;
}

function print(scenes: readonly Scene[]): string {
  return scenes
    .map(({ head, output }) => `${[...head, '----', ...output].join('\n')}\n`)
    .join('\n');
}
