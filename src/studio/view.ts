/** A design as the page shows it, read once: beside a live run, or for a report. */
import type { FaultNames } from '../design/faults.ts';
import { lookAt } from '../run/look.ts';
import { loadDesign } from '../run/node/load.ts';
import { shownPath } from '../run/node/places.ts';
import { designOf, type Otherwise } from '../run/options.ts';
import type { DesignView } from './protocol.ts';

export interface ViewedDesign {
  readonly view: DesignView;
  /** Absolute, the design first. */
  readonly files: readonly string[];
  readonly names: FaultNames;
}

export async function viewOf(designPath: string, otherwise: Otherwise): Promise<ViewedDesign> {
  const loaded = await loadDesign(designPath);
  const { names, ...look } = lookAt(designOf(loaded, otherwise));
  const files = [loaded.path, ...loaded.files.filter((file) => file !== loaded.path)];
  const view: DesignView = {
    ...look,
    revision: 1,
    path: shownPath(loaded.path),
    kind: loaded.path.endsWith('.json') ? 'data' : 'code',
    problems: [],
    sources: files.map(shownPath),
    data: null,
  };
  return { view, files, names };
}
