/** Every kind of block as its `block.ts` tells it: what the page knows of blocks. */
import { blocks } from '../blocks/index.ts';
import { modelledKinds } from '../design/json.ts';
import { knobsOf } from '../design/options.ts';
import type { PaletteBlock } from './protocol.ts';

export function palette(): readonly PaletteBlock[] {
  return blocks.map((block) => ({
    kind: block.kind,
    family: block.family,
    purpose: block.purpose,
    shape: block.view.shape,
    colour: block.view.colour,
    servesWeb: block.servesWeb ?? false,
    modelled: modelledKinds.includes(block.kind),
    knobs: knobsOf(block),
  }));
}
