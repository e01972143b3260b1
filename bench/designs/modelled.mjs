import { systemFromJson } from '../../dist/design/json.js';

/** A link that costs nothing, where only the stations are to be seen. */
const nothing = { delay: { kind: 'constant', value: 0 }, lossRatio: 0, duplicateRatio: 0 };

export function parseDesign(data) {
  const design = systemFromJson(data);
  const { network } = design;
  return { ...design, network };
}

/** The same without network delays. */
export function parseNearDesign(data) {
  const design = parseDesign(data);
  const network = { ...design.network, loopback: nothing, sameZone: nothing, sameRegion: nothing };
  return { ...design, network };
}
