/**
 * Where a worker's or a child's entry file is. Node 20 runs no TypeScript, so that from source (in
 * our own tests) the built one is taken.
 */
export function entry(name: string, from: string): URL {
  const here = new URL(from);
  if (!here.pathname.endsWith('.ts')) return new URL(`./${name}.cjs`, here);
  return new URL(here.href.replace(/\/src\/run\/node\/.*$/, `/dist/run/node/${name}.cjs`));
}
