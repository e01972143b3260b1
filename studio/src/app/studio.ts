/** The one store of the page, for the components of `app/`; views below them take props. */
import type { Frame } from 'loadpath/studio';
import { createContext, useContext, useMemo } from 'react';
import { useStore } from 'zustand';
import type { Client } from '../api/client.ts';
import { useSlowly } from '../parts/use-slowly.ts';
import type { Actions } from '../state/actions.ts';
import { invariantMarks, type Mark, marksOf } from '../state/marks.ts';
import { frameIndexAt } from '../state/playhead.ts';
import { endUs, type RunState } from '../state/run.ts';
import { type StudioState, type StudioStore, shownRun } from '../state/store.ts';

export interface Studio {
  readonly store: StudioStore;
  readonly actions: Actions;
  readonly client: Client;
}

export const StudioContext = createContext<Studio | null>(null);

export function useStudio(): Studio {
  const studio = useContext(StudioContext);
  if (!studio) throw new Error('there is no studio above this component');
  return studio;
}

export function useStudioState<Part>(select: (state: StudioState) => Part): Part {
  return useStore(useStudio().store, select);
}

export function useActions(): Actions {
  return useStudio().actions;
}

export function useShownRun(): RunState | undefined {
  return useStudioState(shownRun);
}

export interface FramePair {
  readonly frame: Frame | undefined;
  readonly previous: Frame | undefined;
}

/** The frame at the playhead and the one before it; changes when others are there, not when more stream in. */
export function useFrames(): FramePair {
  return {
    frame: useStudioState((state) => frameBack(state, 0)),
    previous: useStudioState((state) => frameBack(state, 1)),
  };
}

function frameBack(state: StudioState, back: number): Frame | undefined {
  const run = shownRun(state);
  return run?.frames[frameIndexAt(run.frames, state.playheadUs) - back];
}

const noMarks: readonly Mark[] = [];
const noTargets = {};
/** Marks are for reading; a stream is faster than that. */
const marksMs = 250;

export function useMarks(): readonly Mark[] {
  const run = useShownRun();
  const targets = useStudioState((state) => state.design?.objectives ?? noTargets);
  const slow = useSlowly(run, marksMs);
  return useMemo(() => {
    if (!slow) return noMarks;
    const untilUs = endUs(slow);
    const marks = marksOf(slow.events, slow.frames, targets, untilUs);
    return [...marks, ...invariantMarks(slow.report, untilUs)];
  }, [slow, targets]);
}
