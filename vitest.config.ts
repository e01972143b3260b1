import { configDefaults, defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { findBrowser } from './scripts/browser.mjs';
import { findProxies } from './scripts/proxies.mjs';
import { waiting } from './test/turns.ts';

const { nginx = '', haproxy = '' } = findProxies();
const src = new URL('./src/', import.meta.url).pathname;

/** What waits for browsers and processes takes longest: it goes first, so that no core is idle at the end. */
const longestFirst: readonly RegExp[] = [
  /\/test\/studio\/(time|access|first)/,
  /\/test\/studio/,
  /\/test\/live\//,
  /\/test\/(cli-|hunt\/|fault-|conformance|template)/,
  /\/src\/(live|run|sim)\//,
  /\/(test|examples)\//,
];

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification) => {
      const at = longestFirst.findIndex((one) => one.test(moduleId));
      return at < 0 ? longestFirst.length : at;
    };
    // Within one kind as Vitest would: what took longer, or is larger.
    return (await super.sort(files)).sort((a, b) => place(a) - place(b));
  }
}

export default defineConfig({
  resolve: {
    alias: [
      { find: /^loadpath$/, replacement: `${src}index.ts` },
      { find: /^loadpath\/studio$/, replacement: `${src}studio/browser.ts` },
      { find: /^loadpath\/verify$/, replacement: `${src}verify/index.ts` },
      { find: /^loadpath\/lab$/, replacement: `${src}run/labs/index.ts` },
      { find: /^loadpath\/parts\/(.*)$/, replacement: `${src}parts/$1.ts` },
    ],
  },
  test: {
    include: [
      'src/**/*.test.ts',
      'studio/src/**/*.test.{ts,tsx}',
      'test/**/*.test.ts',
      'examples/**/*.test.ts',
    ],
    exclude: [...configDefaults.exclude, ...waiting],
    env: {
      LOADPATH_CHROMIUM: findBrowser() ?? '',
      LOADPATH_NGINX: nginx,
      LOADPATH_HAPROXY: haproxy,
    },
    pool: 'forks',
    // A fresh process for each of some two hundred files took a third of the time of all tests. What a
    // file changes of the process it puts back.
    isolate: false,
    // One more than the cores that CI has: tests of live systems wait a good deal.
    maxWorkers: 3,
    sequence: { sequencer: LongestFirst },
    // These end only what hangs: a test that passes is to pass on a machine that is busy, too.
    testTimeout: 180_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 30_000 } },
  },
});
