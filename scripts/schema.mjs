/**
 * Writes schema/design.schema.json, the form of a modelled design, from the knob tables of the
 * blocks. Needs a build. A test says when the file is stale.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { designSchema } from '../dist/design/schema.js';
import { root } from './machine.mjs';

mkdirSync(join(root, 'schema'), { recursive: true });
writeFileSync(
  join(root, 'schema', 'design.schema.json'),
  `${JSON.stringify(designSchema(), null, 2)}\n`,
);
