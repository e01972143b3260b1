/** The one store of the page, for the components of `app/`; views below them take props. */
import type { Frame } from 'loadpath/studio';
import { createContext, useCallback, useContext, useMemo, useSyncExternalStore } from 'react';
import { useStore } from 'zustand';
import type { Client } from '../api/client.ts';
import { nothingRecent, type Recent, showing } from '../graph/recent.ts';
import type { Actions } from '../state/actions.ts';
import { type Mark, marksOf, type ObjectiveTargets } from '../state/marks.ts';
import { frameAt, lastSecond } from '../state/playhead.ts';
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

/** A stream is faster than one reads: words and numbers that it changes are shown this often. */
const readableMs = 300;

/** The shown run, as often as one can read what streams into it; another run, or its end, at once. */
export function useShownRun(): RunState | undefined {
  return useStudioSlowly(shownRun, readableMs, isSameCourse);
}

function isSameCourse(former: RunState | undefined, next: RunState | undefined): boolean {
  return (
    former?.id === next?.id &&
    former?.state === next?.state &&
    former?.layout === next?.layout &&
    former?.report === next?.report
  );
}

/** A part that streams: read again at most every `everyMs`, but at once where it is not the same. */
function useStudioSlowly<Part>(
  select: (state: StudioState) => Part,
  everyMs: number,
  isSame: (former: Part, next: Part) => boolean,
): Part {
  const { store } = useStudio();
  const subscribe = useCallback(
    (changed: () => void) => {
      let shown = select(store.getState());
      let lastAtMs = 0;
      let timer: ReturnType<typeof setTimeout> | undefined;
      const tell = () => {
        clearTimeout(timer);
        timer = undefined;
        lastAtMs = performance.now();
        shown = select(store.getState());
        changed();
      };
      const end = store.subscribe((state) => {
        const next = select(state);
        if (next === shown) return;
        const waitMs = isSame(shown, next) ? lastAtMs + everyMs - performance.now() : 0;
        if (waitMs <= 0) tell();
        else timer ??= setTimeout(tell, waitMs);
      });
      return () => {
        end();
        clearTimeout(timer);
      };
    },
    [store, select, everyMs, isSame],
  );
  return useSyncExternalStore(subscribe, () => select(store.getState()));
}

/** The frames of the last second; changes as often as figures can be read. */
export function useRecent(): Recent {
  const select = useMemo(() => {
    let recent = nothingRecent;
    return (state: StudioState) => {
      const frames = shownRun(state)?.frames ?? noFrames;
      // At rest, what stands there exactly.
      recent = showing(state.playing ? recent : atRest(recent, state), frames, state.playheadUs);
      return recent;
    };
  }, []);
  return useStudioState(select);
}

/** The same for what is read rather than watched: words and numbers. */
export function useReadableSecond(): readonly Frame[] {
  const { store } = useStudio();
  const frame = useStudioSlowly(frameNow, readableMs, bothOrNeither);
  return useMemo(() => {
    const frames = shownRun(store.getState())?.frames ?? noFrames;
    return frame ? lastSecond(frames, frame.fromUs) : noFrames;
  }, [store, frame]);
}

const noFrames: readonly Frame[] = [];

function bothOrNeither(former: unknown, next: unknown): boolean {
  return (former === undefined) === (next === undefined);
}

function atRest(recent: Recent, state: StudioState): Recent {
  return recent.frames.at(-1) === frameNow(state) ? recent : nothingRecent;
}

function frameNow(state: StudioState): Frame | undefined {
  return frameAt(shownRun(state)?.frames ?? noFrames, state.playheadUs);
}

const noMarks: readonly Mark[] = [];
const noTargets = {};
export function useMarks(): readonly Mark[] {
  const run = useShownRun();
  const targets = useStudioState((state) => state.design?.objectives);
  return useMemo(() => marksIn(run, targets), [run, targets]);
}

/** A run is another with all that streams in; several views want the marks of each. */
const marked = new WeakMap<RunState, { targets: ObjectiveTargets; marks: readonly Mark[] }>();

export function marksIn(
  run: RunState | undefined,
  targets: ObjectiveTargets = noTargets,
): readonly Mark[] {
  if (!run) return noMarks;
  const known = marked.get(run);
  if (known?.targets === targets) return known.marks;
  const marks = marksOf(run.events, run.frames, targets, run.report, endUs(run));
  marked.set(run, { targets, marks });
  return marks;
}
