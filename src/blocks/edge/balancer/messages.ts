/** What balancers that share an address say to each other. Connections stand in `host/connection.ts`. */
import type { Beat } from '../../../parts/standby.ts';

export type BeatMessage = Beat & { readonly type: 'beat' };

export function describeBeat({ term, isActive, isLeaving }: BeatMessage): string {
  if (isLeaving) return `beat of term ${term}: leaves`;
  return isActive ? `beat of term ${term}: active` : `beat of term ${term}: stands by`;
}
