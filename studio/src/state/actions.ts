/**
 * Everything that changes the store: what users do, and what streams tell. The only place that
 * talks to the server; without React, so that tests can run a whole session against a fake client.
 */
import type { JsonDesign, Micros, Refusal, ReportFile, RunRequest } from 'loadpath/studio';
import { type Client, Refused, Unreachable } from '../api/client.ts';
import type { Stream, StreamState } from '../api/stream.ts';
import type { ThemeChoice } from '../theme/theme.ts';
import { type OptionValue, stillEdits, withEdit, withoutEdit } from './edits.ts';
import { createFaultActions } from './fault-actions.ts';
import { firstDifferenceUs, withDesignFaults } from './faults.ts';
import { allFaults, formWith, type RunForm, requestOf, sameButFaults } from './form.ts';
import { advance, type Extent, sought } from './playhead.ts';
import { endUs, isGoing, type Lender, newRun, type RunState, withMessages } from './run.ts';
import { createSearches } from './searches.ts';
import { type Selection, stillThere } from './selection.ts';
import type { Session } from './session.ts';
import {
  baselineRun,
  canRun,
  type Notice,
  type Panel,
  type Place,
  type StudioState,
  type StudioStore,
  shownRun,
} from './store.ts';

/** As many as the server keeps. */
const runsMax = 8;
const noticesMax = 3;
/** The code of a refusal by nobody. */
const unreachable = 'unreachable';
/** Enough for an interval that says something, few enough to wait for. */
const replications = 10;

export type Actions = ReturnType<typeof createActions>;

export function createActions(store: StudioStore, client: Client) {
  const streams = new Map<string, Stream>();
  let noticeCount = 0;
  const { getState: get, setState: set } = store;

  // What the server says ---------------------------------------------------------------------------

  /** Opens everything; throws when there is no server or it refuses the token. */
  async function open(session?: Session): Promise<void> {
    const [hello, design, runs] = await Promise.all([
      client.hello(),
      client.design(),
      client.runs(),
    ]);
    set({
      hello,
      design,
      connection: 'open',
      faultList: withDesignFaults(session?.faultList ?? [], design.faults),
      ...(session && {
        form: session.form,
        edits: stillEdits(session.edits, design.options),
        panel: session.panel,
        speed: session.speed,
      }),
    });
    streams.set('watch', client.watch({ onMessages: takeWatch, onState: takeConnection }));
    if (hello.mode !== 'design') return;
    const former = runs.find(({ id }) => id === session?.shownRun);
    if (former) {
      attach(former.id, former.request);
      set(sought(session?.playheadUs ?? 0));
    } else {
      await run();
    }
  }

  /** One finished run from a file: there is no server, and nothing can be run. */
  function openReport(file: ReportFile): void {
    const { hello, design, run, layout, frames, events, report, summary } = file;
    const shown = {
      ...newRun(run.id, run.request, design.revision),
      layout,
      frames,
      events,
      report,
      summary,
    };
    set({
      hello,
      design,
      connection: 'open',
      runs: new Map([[run.id, { ...shown, state: run.state }]]),
      shownRun: run.id,
      playing: false,
    });
  }

  function takeConnection(state: StreamState): void {
    if (get().connection === 'barred' || state === 'opening' || state === 'closed') return;
    set(({ refusal }) => ({
      connection: state === 'open' ? 'open' : 'lost',
      // Said of the connection as a whole while it is lost, and no longer so when it is back.
      refusal: refusal?.code === unreachable ? null : refusal,
    }));
    if (state === 'refused') void tellBarred();
  }

  /** A stream is not told why it is refused. */
  async function tellBarred(): Promise<void> {
    try {
      await client.hello();
    } catch (error) {
      if (!(error instanceof Refused)) return;
      set({ connection: 'barred' });
      for (const id of [...streams.keys()]) closeStream(id);
    }
  }

  function takeWatch(messages: Parameters<Parameters<Client['watch']>[0]['onMessages']>[0]): void {
    for (const message of messages) {
      switch (message.name) {
        case 'design':
          takeDesign(message.data);
          break;
        case 'live':
          set({ live: message.data, following: true, playing: true });
          if (!get().runs.has(message.data.id)) attach(message.data.id, null);
          break;
        case 'runs':
          break;
      }
    }
  }

  function takeDesign(design: NonNullable<StudioState['design']>): void {
    const before = get().design;
    const structure = design.structure ?? before?.structure ?? null;
    set((state) => ({
      design: { ...design, structure },
      faultList: withDesignFaults(state.faultList, design.faults),
      edits: stillEdits(state.edits, design.options),
      ...(design.problems.length === 0 ? { place: null } : {}),
      selection: structure ? stillThere(state.selection, structure) : state.selection,
    }));
    const saved = before !== null && design.revision > before.revision;
    if (!saved || design.problems.length > 0 || get().hello?.mode !== 'design') return;
    if (before.data && design.data && sameSystem(before.data, design.data)) return;
    // What is drawn is saved by this page itself, with every stroke.
    if (design.kind === 'code') notice('plain', `${design.path} was saved: running again.`);
    void run();
  }

  function attach(id: string, request: RunRequest | null, lender?: Lender): void {
    set((state) => {
      const runs = new Map(state.runs);
      runs.set(id, newRun(id, request, state.design?.revision ?? 0, lender));
      const former = shownRun(state);
      const finished = former?.report ? former.id : state.formerRun;
      const formerRun = runs.has(finished ?? '') ? finished : null;
      prune(runs, [id, formerRun, state.comparedRun]);
      return { runs, shownRun: id, formerRun, refusal: null };
    });
    streams.get(id)?.close();
    streams.set(
      id,
      client.watchRun(id, {
        onMessages: (messages) => {
          change(id, (run) => withMessages(run, messages));
          const ended = messages.find((message) => message.name === 'end');
          if (ended) closeStream(id);
        },
      }),
    );
  }

  function closeStream(id: string): void {
    streams.get(id)?.close();
    streams.delete(id);
  }

  function change(id: string, how: (run: RunState) => RunState): void {
    set((state) => {
      const run = state.runs.get(id);
      if (!run) return {};
      return { runs: new Map(state.runs).set(id, how(run)) };
    });
  }

  /** The oldest go first, except those that are looked at. */
  function prune(runs: Map<string, RunState>, kept: readonly (string | null)[]): void {
    for (const id of runs.keys()) {
      if (runs.size <= runsMax) return;
      if (kept.includes(id)) continue;
      runs.delete(id);
      closeStream(id);
    }
  }

  // Runs -------------------------------------------------------------------------------------------

  /** Runs what stands in the form, the fault list and the inspector; nothing, where that cannot be. */
  async function run(options: { readonly fromUs?: Micros | undefined } = {}): Promise<void> {
    const { design, form, faultList, edits } = get();
    if (!design || !canRun(get())) return;
    await start(requestOf(form, faultList, edits, design), options.fromUs);
  }

  let starting = Promise.resolve();

  /**
   * Runs a request; what it has in common with the shown run is there at once. One after the other:
   * the one asked for last is the one that runs, and that is shown.
   */
  function start(request: RunRequest, fromUs?: Micros): Promise<void> {
    starting = starting.then(() => begin(request, fromUs));
    return starting;
  }

  async function begin(request: RunRequest, fromUs?: Micros): Promise<void> {
    const former = shownRun(get());
    const lender = lenderOf(former, request);
    await attempt(async () => {
      const id = await client.startRun(request);
      // Not before: where nothing was started, the former goes on.
      if (former && isGoing(former)) {
        closeStream(former.id);
        change(former.id, (run) => (isGoing(run) ? { ...run, state: 'stopped' } : run));
      }
      attach(id, request, lender);
      change(id, (run) => ({ ...run, startedAtMs: Date.now() }));
      set({ ...sought(fromUs ?? 0), playing: true, following: false });
    });
  }

  function lenderOf(former: RunState | undefined, request: RunRequest): Lender | undefined {
    const { design } = get();
    if (
      !former?.request ||
      former.revision !== design?.revision ||
      !sameButFaults(former.request, request)
    )
      return undefined;
    const untilUs = firstDifferenceUs(
      allFaults(former.request, design.faults),
      allFaults(request, design.faults),
    );
    return { run: former, untilUs: Math.min(untilUs ?? Number.POSITIVE_INFINITY, endUs(former)) };
  }

  /** The shown run and the one it is held against, over several seeds each: then figures have intervals. */
  async function replicate(): Promise<void> {
    const [before, shown] = [baselineRun(get()), shownRun(get())];
    if (!before?.request || !shown?.request || !canRun(get())) return;
    await start({ ...before.request, seeds: replications });
    const [former, wanted] = [get().shownRun, shown.request];
    const stopWaiting = store.subscribe((state) => {
      const run = former === null ? undefined : state.runs.get(former);
      if (run && isGoing(run)) return;
      stopWaiting();
      // Somebody went on to something else meanwhile.
      if (!run || state.shownRun !== former || run.state !== 'done') return;
      void start({ ...wanted, seeds: replications }).then(() => set({ comparedRun: former }));
    });
  }

  async function stop(): Promise<void> {
    const { shownRun: id } = get();
    if (id !== null) await attempt(() => client.stopRun(id));
  }

  async function pause(): Promise<void> {
    const { shownRun: id } = get();
    if (id === null) return;
    await attempt(async () => {
      await client.pauseRun(id);
      change(id, (run) => (run.state === 'running' ? { ...run, state: 'paused' } : run));
    });
  }

  async function resume(): Promise<void> {
    const { shownRun: id } = get();
    if (id === null) return;
    await attempt(async () => {
      await client.resumeRun(id);
      change(id, (run) => (run.state === 'paused' ? { ...run, state: 'running' } : run));
    });
  }

  // Looking ----------------------------------------------------------------------------------------

  /** Real time passed; the playhead moves over what there is. */
  function tick(elapsedUs: Micros): void {
    const state = get();
    const run = shownRun(state);
    if (!run) return;
    const moved = advance(state, elapsedUs, extentOf(run));
    if (moved !== state) set({ playheadUs: moved.playheadUs, playing: moved.playing });
  }

  function seek(toUs: Micros): void {
    const run = shownRun(get());
    if (!run) return;
    const atUs = Math.round(Math.max(extentOf(run).fromUs, Math.min(toUs, endUs(run))));
    set({ ...sought(atUs), following: false });
  }

  /** From the end it begins again. */
  function play(): void {
    const state = get();
    const run = shownRun(state);
    const ended = run && !isGoing(run) && state.playheadUs >= endUs(run);
    set({
      playing: true,
      ...(ended && !state.following ? sought(extentOf(run).fromUs) : {}),
    });
  }

  function notice(tone: Notice['tone'], text: string): void {
    noticeCount++;
    const added = { id: noticeCount, tone, text };
    set((state) => ({ notices: [...state.notices, added].slice(-noticesMax) }));
  }

  /** Runs what may be refused, and shows why. */
  async function attempt(what: () => Promise<void>): Promise<void> {
    try {
      set({ refusal: null });
      await what();
    } catch (error) {
      const isSaid = error instanceof Unreachable && get().connection !== 'open';
      if (!isSaid) set({ refusal: refusalOf(error) });
    }
  }

  return {
    open,
    openReport,
    run,
    start,
    replicate,
    stop,
    pause,
    resume,
    ...createFaultActions(store, client, { attempt, run, notice }),
    ...createSearches(store, client, { attempt, run: () => run(), notice }),
    tick,
    seek,
    play,
    notice,
    attempt,
    pausePlaying: () => set({ playing: false }),
    setSpeed: (speed: number) => set({ speed }),
    follow: () => set({ following: true, playing: true }),
    select: (selection: Selection | null) => set({ selection }),
    inspect: (selection: Selection) => set({ selection, panel: 'inspect', panelOpen: true }),
    show: (id: string) => {
      if (get().runs.has(id)) set({ shownRun: id, playing: false });
    },
    compareWith: (comparedRun: string | null) => set({ comparedRun }),
    setForm: (change: Partial<RunForm>) => set((state) => ({ form: formWith(state.form, change) })),
    setPanel: (panel: Panel) => set({ panel, panelOpen: true }),
    goTo: (place: Place) => set({ place, panel: 'source', panelOpen: true }),
    togglePanel: () => set((state) => ({ panelOpen: !state.panelOpen })),
    setTheme: (theme: ThemeChoice) => set({ theme }),
    edit: (key: string, value: OptionValue | null) =>
      set(({ edits, design }) => ({
        edits:
          value === null
            ? withoutEdit(edits, key)
            : withEdit(edits, design?.options ?? {}, key, value),
      })),
    dismissNotice: (id: number) =>
      set((state) => ({ notices: state.notices.filter((one) => one.id !== id) })),
    dismissRefusal: () => set({ refusal: null }),
    /** For tests, and when the page is left. */
    close: () => {
      for (const id of [...streams.keys()]) closeStream(id);
    },
  };
}

export function extentOf(run: RunState): Extent {
  return {
    fromUs: run.frames[0]?.fromUs ?? 0,
    untilUs: endUs(run),
    over: !isGoing(run),
  };
}

/** Where blocks stand on the board is no part of what runs. */
function sameSystem(a: JsonDesign, b: JsonDesign): boolean {
  const [{ studio: _, ...one }, { studio: __, ...other }] = [a, b];
  return JSON.stringify(one) === JSON.stringify(other);
}

function refusalOf(error: unknown): Refusal {
  if (error instanceof Refused) return error.refusal;
  const message = error instanceof Error ? error.message : String(error);
  const code = error instanceof Unreachable ? unreachable : 'failed';
  return { code, message, problems: [] };
}
