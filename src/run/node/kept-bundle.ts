/**
 * A bundled design in files, for processes that are started while a run goes on: each of them needs its text, none its map
 * until something goes wrong, and what the engine made of the text once is made again by nobody (`EngineCode`).
 */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import type { DesignBundle } from './bundle.ts';

export type KeptBundle = Omit<DesignBundle, 'code' | 'map'> & {
  readonly codeFile: string;
  readonly mapFile: string;
  readonly engineFile: string;
};

/** Made by this version of the engine, from a text that was run. Of no use to another, which finds that out by itself. */
export type EngineCode = Uint8Array;

/** Throws what the file system says. What former runs left in `directory` goes. */
export function keepBundle(
  { code, map, ...rest }: DesignBundle,
  engine: EngineCode,
  directory: string,
): KeptBundle {
  mkdirSync(directory, { recursive: true });
  // Of this process only: a run that a kill cut short may have left its own half written.
  const file = (suffix: string) => join(directory, `${rest.sourceHash}-${process.pid}.${suffix}`);
  const kept = { codeFile: file('cjs'), mapFile: file('map'), engineFile: file('code') };
  for (const name of readdirSync(directory)) rmSync(join(directory, name), { force: true });
  writeFileSync(kept.codeFile, code);
  writeFileSync(kept.mapFile, map);
  const end = new DataView(new ArrayBuffer(4));
  end.setUint32(0, crc32(engine), true);
  const written = `${kept.engineFile}~`;
  writeFileSync(written, Buffer.concat([engine, new Uint8Array(end.buffer)]));
  renameSync(written, kept.engineFile);
  return { ...rest, ...kept };
}

export function bundleIn({ codeFile, mapFile, engineFile, ...rest }: KeptBundle): {
  readonly bundle: DesignBundle;
  readonly engine: EngineCode | undefined;
} {
  const bundle = {
    ...rest,
    code: readFileSync(codeFile, 'utf8'),
    get map() {
      return readFileSync(mapFile, 'utf8');
    },
  };
  return { bundle, engine: engineIn(engineFile) };
}

/** The engine believes what it is given: half a file would be the end of the process. */
function engineIn(file: string): EngineCode | undefined {
  try {
    const bytes = readFileSync(file);
    const end = bytes.length - 4;
    const code = bytes.subarray(0, end);
    return crc32(code) === bytes.readUInt32LE(end) ? code : undefined;
  } catch {
    return undefined; // Nothing depends on it.
  }
}
