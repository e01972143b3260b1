/** What each tab shows. All but the first two come when they are first wanted. */
import { type ComponentType, lazy } from 'react';
import type { Panel } from '../../state/store.ts';
import { Faults } from './Faults.tsx';
import { Verdict } from './Verdict.tsx';

export const views: Readonly<Record<Panel, ComponentType>> = {
  verdict: Verdict,
  faults: Faults,
  charts: lazy(() => import('./Charts.tsx')),
  inspect: lazy(() => import('./Inspect.tsx')),
  requests: lazy(() => import('./Requests.tsx')),
  messages: lazy(() => import('./Messages.tsx')),
  compare: lazy(() => import('./Compare.tsx')),
  sweep: lazy(() => import('./Sweep.tsx')),
  hunt: lazy(() => import('./Hunt.tsx')),
  source: lazy(() => import('./Source.tsx')),
};
