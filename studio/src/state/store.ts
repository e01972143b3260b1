/**
 * All that the page knows, in one store. Views are given parts of it as props; only `actions.ts`
 * changes it. What can be computed (the frame at the playhead, marks, what is active) is not kept.
 */
import type {
  DesignView,
  Finding,
  Hello,
  HuntProgress,
  HuntReport,
  HuntRequest,
  Refusal,
  StructuralView,
  SweepPoint,
  SweepReport,
  SweepRequest,
  WatchEvents,
} from 'loadpath/studio';
import { createStore, type StoreApi } from 'zustand/vanilla';
import type { ThemeChoice } from '../theme/theme.ts';
import type { Edits } from './edits.ts';
import type { FaultList } from './faults.ts';
import { emptyForm, formProblems, type RunForm } from './form.ts';
import type { Kept } from './kept.ts';
import type { Playhead } from './playhead.ts';
import type { RunState } from './run.ts';
import type { Selection } from './selection.ts';

export const panels = [
  'verdict',
  'charts',
  'faults',
  'inspect',
  'requests',
  'messages',
  'compare',
  'sweep',
  'hunt',
  'source',
] as const;
export type Panel = (typeof panels)[number];

/** What there is to see of a running system, and of a finished run in a file, is less. */
export const panelsIn: Readonly<Record<Hello['mode'], readonly Panel[]>> = {
  design: panels,
  live: ['verdict', 'charts', 'faults', 'inspect', 'source'],
  report: ['verdict', 'charts', 'inspect'],
};

/** `barred`: a server is there, but was started again and does not know this page's token. */
export type Connection = 'opening' | 'open' | 'lost' | 'barred';

/** Something to be said once, in a corner. */
export interface Notice {
  readonly id: number;
  readonly tone: 'plain' | 'good' | 'bad';
  readonly text: string;
}

export interface HuntState {
  readonly id: string;
  readonly request: HuntRequest;
  readonly progress: HuntProgress | null;
  readonly findings: readonly Finding[];
  readonly report: HuntReport | null;
  readonly failure: Refusal | null;
}

export interface SweepState {
  readonly id: string;
  readonly request: SweepRequest;
  readonly points: readonly SweepPoint[];
  readonly report: SweepReport | null;
  readonly failure: Refusal | null;
}

/** Faults for a target, asked for at a point of the page. */
export interface FaultMenuState {
  readonly target: Selection;
  readonly x: number;
  readonly y: number;
}

export interface Place {
  readonly file: string;
  readonly line: number;
}

export interface StudioState extends Playhead {
  readonly connection: Connection;
  readonly hello: Hello | null;
  readonly design: DesignView | null;
  readonly live: WatchEvents['live'] | null;
  readonly runs: ReadonlyMap<string, RunState>;
  readonly shownRun: string | null;
  /** The last finished run before the shown one: what "before" means unless one chooses. */
  readonly formerRun: string | null;
  /** Chosen by hand. */
  readonly comparedRun: string | null;
  readonly selection: Selection | null;
  readonly faultList: FaultList;
  readonly edits: Edits;
  readonly form: RunForm;
  readonly panel: Panel;
  readonly panelOpen: boolean;
  /** Where in the source to look. */
  readonly place: Place | null;
  /** What a live system is about to be done to, until somebody confirms it. */
  readonly pendingFault: string | null;
  readonly theme: ThemeChoice;
  readonly faultMenu: FaultMenuState | null;
  /** The drawing board in place of the graph; null: not chosen yet. */
  readonly drawing: boolean | null;
  /** What was drawn and can be undone; null: nobody was at the board yet. */
  readonly board: Kept | null;
  readonly hunt: HuntState | null;
  readonly sweep: SweepState | null;
  readonly notices: readonly Notice[];
  /** Why the last thing that was asked for was refused. */
  readonly refusal: Refusal | null;
}

export type StudioStore = StoreApi<StudioState>;

export function createStudioStore(start: Partial<StudioState> = {}): StudioStore {
  return createStore<StudioState>(() => ({
    connection: 'opening',
    hello: null,
    design: null,
    live: null,
    runs: new Map(),
    shownRun: null,
    formerRun: null,
    comparedRun: null,
    playheadUs: 0,
    soughtUs: 0,
    playing: true,
    speed: 1,
    following: false,
    selection: null,
    faultList: [],
    edits: {},
    form: emptyForm,
    panel: 'verdict',
    panelOpen: true,
    place: null,
    pendingFault: null,
    theme: 'system',
    faultMenu: null,
    drawing: null,
    board: null,
    hunt: null,
    sweep: null,
    notices: [],
    refusal: null,
    ...start,
  }));
}

export function shownRun(state: Pick<StudioState, 'runs' | 'shownRun'>): RunState | undefined {
  return state.shownRun === null ? undefined : state.runs.get(state.shownRun);
}

/** The design as the shown run had it: other options may have given it other nodes. */
export function shownStructure(
  state: Pick<StudioState, 'runs' | 'shownRun' | 'design'>,
): StructuralView | null {
  return shownRun(state)?.structure ?? state.design?.structure ?? null;
}

/** What the shown run is held against: chosen by hand, else the one before it. */
export function baselineRun(
  state: Pick<StudioState, 'runs' | 'shownRun' | 'formerRun' | 'comparedRun'>,
): RunState | undefined {
  const id = state.comparedRun ?? state.formerRun;
  return id === null || id === state.shownRun ? undefined : state.runs.get(id);
}

/** An empty board is there to be drawn on; else one asks for it. */
export function isDrawing({ hello, design, drawing }: StudioState): boolean {
  if (hello?.mode !== 'design' || design?.kind !== 'data' || !design.data) return false;
  return drawing ?? (design.structure?.blocks.length ?? 0) === 0;
}

/** Whether the server is known not to be there, or not to know this page. */
export function isOutOfReach({ connection }: Pick<StudioState, 'connection'>): boolean {
  return connection === 'lost' || connection === 'barred';
}

/** Whether a run can be asked for, by whichever button or key: another one would take the shown run off the page for nothing. */
export function canRun({
  connection,
  hello,
  design,
  form,
}: Pick<StudioState, 'connection' | 'hello' | 'design' | 'form'>): boolean {
  return (
    connection === 'open' &&
    hello?.mode === 'design' &&
    design !== null &&
    design.problems.length === 0 &&
    design.structure !== null &&
    Object.keys(formProblems(form)).length === 0
  );
}
