import { defineConfig } from 'vitest/config';
import { findBrowser } from './scripts/browser.mjs';

const src = new URL('./src/', import.meta.url).pathname;

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
    env: { LOADPATH_CHROMIUM: findBrowser() ?? '' },
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 60_000,
  },
});
