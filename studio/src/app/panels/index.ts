/** What each tab shows. All but the first two come after the page has opened, or when one is chosen before. */
import { type ComponentType, lazy } from 'react';
import type { Panel } from '../../state/store.ts';
import { Faults } from './Faults.tsx';
import { Verdict } from './Verdict.tsx';

const later = {
  charts: () => import('./Charts.tsx'),
  inspect: () => import('./Inspect.tsx'),
  requests: () => import('./Requests.tsx'),
  messages: () => import('./Messages.tsx'),
  compare: () => import('./Compare.tsx'),
  sweep: () => import('./Sweep.tsx'),
  hunt: () => import('./Hunt.tsx'),
  source: () => import('./Source.tsx'),
} as const satisfies Partial<Record<Panel, () => Promise<{ default: ComponentType }>>>;

const views: Record<Panel, ComponentType> = {
  verdict: Verdict,
  faults: Faults,
  charts: lazy(later.charts),
  inspect: lazy(later.inspect),
  requests: lazy(later.requests),
  messages: lazy(later.messages),
  compare: lazy(later.compare),
  sweep: lazy(later.sweep),
  hunt: lazy(later.hunt),
  source: lazy(later.source),
};

/** May be another once it has come: whoever shows a panel keeps the one that he was given. */
export function viewOf(panel: Panel): ComponentType {
  return views[panel];
}

/** So that a tab opens at once, without a blank moment, and also when the server has gone by then. */
export async function fetchViews(): Promise<void> {
  for (const panel of Object.keys(later) as (keyof typeof later)[]) {
    try {
      views[panel] = (await later[panel]()).default;
    } catch {
      // It is asked for again by whoever opens that tab, who is then told.
    }
  }
}
