/**
 * Accepts what the tests that compare with files now see: knob tables, golden stories. Read the
 * difference before committing it: a changed line wants a reason. Arguments go to Vitest.
 */
import { join } from 'node:path';
import { root, runNode } from './machine.mjs';

const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
const { code } = await runNode([vitest, 'run', ...process.argv.slice(2)], {
  env: { REWRITE: '1' },
});
process.exitCode = code;
