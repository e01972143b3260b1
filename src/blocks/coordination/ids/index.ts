/**
 * `ids('codes', { block: 1_000_000, width: 7 })`: short unique codes, and names given to exactly
 * one owner. See README.md.
 */
import type { Declaration } from '../../../host/declaration.ts';
import { configure, type OptionsOf } from '../../../kit/config.ts';
import { idsBlock } from './block.ts';
import { type IdsCode, knobs, relations } from './config.ts';
import type { IdsHandle } from './handle.ts';

export type { IdsHandle } from './handle.ts';
export { idsBlock };

export interface IdsOptions extends OptionsOf<typeof knobs> {
  /** For `scramble`: at least 16 characters that only you know, the same for ever. Kept out of the plan. */
  readonly secret?: string | undefined;
}

export interface Ids extends Declaration<IdsHandle> {
  readonly kind: 'ids';
}

export function ids(name: string, options: IdsOptions = {}): Ids {
  const { secret, ...rest } = options;
  const { config, problems } = configure(name, knobs, rest, ['secret']);
  const code: IdsCode = { secret: secret ?? '' };
  return {
    kind: 'ids',
    name,
    block: idsBlock,
    config,
    problems: problems.length > 0 ? problems : relations(name, config, secret),
    binds: {},
    code,
  };
}
