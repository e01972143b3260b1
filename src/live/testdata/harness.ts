/** What the tests of the live world share: built entries, temporary folders, and waiting for things. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import type { RunEvent } from '../../host/events.ts';
import type { Address, Message, Value } from '../../host/host.ts';
import type { Plan } from '../../host/plan.ts';
import type { MetersWindow } from '../../kit/meters.ts';
import { type LiveOptions, type LiveSystem, startLive } from '../supervisor.ts';
import { makeBoot } from './programs.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));

/** Child processes cannot run TypeScript on Node 20: bundles `testdata/<name>.ts` for them. */
export async function built(name: string): Promise<URL> {
  const outfile = join(root, 'node_modules/.cache/live-test', `${process.pid}-${name}.mjs`);
  await build({
    entryPoints: [join(root, 'src/live/testdata', `${name}.ts`)],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    packages: 'external',
    logLevel: 'error',
  });
  return pathToFileURL(outfile);
}

export function removeBuilt(entry: URL): void {
  rmSync(entry, { force: true });
}

export function tempFolder(): string {
  return mkdtempSync(join(tmpdir(), 'loadpath-live-'));
}

export type Said = Message & Readonly<Record<string, Value | undefined>>;

export interface Trial {
  readonly system: LiveSystem;
  readonly events: RunEvent[];
  readonly windows: MetersWindow[];
  readonly said: { readonly from: Address; readonly message: Said }[];
  /** The first thing said from now on, or before, that fits and was not taken yet. */
  hear(type: string, from?: string): Promise<Said>;
  /** The first event that fits, past or to come. */
  see(fits: (event: RunEvent) => boolean): Promise<RunEvent>;
  end(): Promise<void>;
}

export function trial(
  entry: URL,
  plan: Plan,
  more: Partial<LiveOptions> & { readonly here?: boolean } = {},
): Trial {
  const events: RunEvent[] = [];
  const windows: MetersWindow[] = [];
  const said: { from: Address; message: Said }[] = [];
  const watchers = new Set<() => void>();
  const changed = () => {
    for (const look of [...watchers]) look();
  };
  const { here, ...options } = more;
  const folder = options.dataDir ?? tempFolder();
  const system = startLive({
    plan,
    childEntry: () => entry,
    childData: () => null,
    dataDir: folder,
    seed: 1,
    edgePort: 0,
    single: here ? makeBoot : undefined,
    ...options,
    onEvent: (event) => {
      events.push(event);
      changed();
    },
    onWindow: (window) => windows.push(window),
    onControl: (from, message) => {
      said.push({ from, message: message as Said });
      changed();
    },
  });
  const until = <T>(find: () => T | undefined): Promise<T> =>
    new Promise((resolve) => {
      const look = () => {
        const found = find();
        if (found === undefined) return;
        watchers.delete(look);
        resolve(found);
      };
      watchers.add(look);
      look();
    });
  return {
    system,
    events,
    windows,
    said,
    hear: (type, from) =>
      until(() => {
        const at = said.findIndex(
          (one) => one.message.type === type && (from === undefined || one.from.node === from),
        );
        return at < 0 ? undefined : said.splice(at, 1)[0]!.message;
      }),
    see: (fits) => until(() => events.find(fits)),
    end: async () => {
      await system.stop({ drainUs: 2_000_000 });
      if (options.dataDir === undefined) rmSync(folder, { recursive: true, force: true });
    },
  };
}

export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Resolves when the process is gone. The test's own time limit is the only other way out. */
export async function gone(pid: number): Promise<void> {
  while (isRunning(pid)) await new Promise((resolve) => setTimeout(resolve, 20));
}
