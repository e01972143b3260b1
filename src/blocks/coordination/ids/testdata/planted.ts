/** `ids` with a well-known mistake in it, for the tests that must find it. */
import type { Block } from '../../../../host/declaration.ts';
import { idsBlock } from '../block.ts';
import { type Ids, type IdsOptions, ids } from '../index.ts';
import { allocatorBy } from '../node.ts';

/** Hands a range out before it is stored: after a crash it is handed out again. */
const toldFirst: Block = {
  ...idsBlock,
  programs: {
    ...idsBlock.programs,
    allocator: allocatorBy((store, tell) => {
      store(() => {});
      tell();
    }),
  },
};

export function idsToldFirst(name: string, options: IdsOptions = {}): Ids {
  return { ...ids(name, options), block: toldFirst };
}
