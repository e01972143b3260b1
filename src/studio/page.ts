/** The page that the build left beside this file, and the headers under which a browser gets it. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface Asset {
  readonly body: Buffer;
  readonly headers: Readonly<Record<string, string>>;
}

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.woff2': 'font/woff2',
  '.json': 'application/json',
};

/**
 * Styles may be inline because editors and charts place themselves so; scripts never are. Nothing
 * is loaded from anywhere else, and no other page may frame this one.
 */
const policy = [
  "default-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data: blob:",
  "worker-src 'self' blob:",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** With every answer. */
export const safetyHeaders: Readonly<Record<string, string>> = {
  'content-security-policy': policy,
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
};

/** The page's files by their paths: `/`, `/assets/index-1a2b3c.js`. Read once: they are few and small. */
export function pageAssets(folder = builtFolder()): ReadonlyMap<string, Asset> {
  const assets = new Map<string, Asset>();
  if (!existsSync(folder)) return assets;
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile()) continue;
    const file = join(entry.parentPath, entry.name);
    const path = file.slice(folder.length).replaceAll('\\', '/');
    // A file under assets/ has its hash in its name: what is there never changes.
    const isForever = path.startsWith('/assets/');
    assets.set(path === '/index.html' ? '/' : path, {
      body: readFileSync(file),
      headers: {
        'content-type': types[extname(entry.name)] ?? 'application/octet-stream',
        'cache-control': isForever ? 'public, max-age=31536000, immutable' : 'no-store',
      },
    });
  }
  return assets;
}

/** The page as one file, with `<!--run-->` where a run goes. Undefined: not built. */
export function reportPage(): string | undefined {
  const file = join(studioFolder(), 'report', 'index.html');
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
}

function builtFolder(): string {
  return join(studioFolder(), 'page');
}

/** `dist/studio`, also when this runs from sources, as tests do. */
function studioFolder(): string {
  const here = fileURLToPath(new URL('.', import.meta.url));
  return import.meta.url.endsWith('.ts') ? join(here, '..', '..', 'dist', 'studio') : here;
}
