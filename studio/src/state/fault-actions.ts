/** Breaking things: in the next run of a simulation, or now in a live system. */
import type { Micros } from 'loadpath/studio';
import type { Client } from '../api/client.ts';
import { type FaultList, faultAtUs, firstDifferenceUs, withChecks, withFaults } from './faults.ts';
import { allFaults, durationOf, requestOf } from './form.ts';
import { lengthUs, type RunState } from './run.ts';
import {
  type FaultMenuState,
  type Notice,
  type StudioState,
  type StudioStore,
  shownRun,
} from './store.ts';

interface Doing {
  /** Runs what may be refused, and shows why. */
  attempt(what: () => Promise<void>): Promise<void>;
  run(options?: { readonly fromUs?: Micros }): Promise<void>;
  notice(tone: Notice['tone'], text: string): void;
}

/** How long before the first change a repeated run is shown from, so that one sees it happen. */
const leadUs = 1_000_000;

export function createFaultActions(store: StudioStore, client: Client, doing: Doing) {
  const { attempt, run, notice } = doing;
  const { getState: get, setState: set } = store;

  /** Adds a fault and repeats the run with it: the playhead goes on from where it is. */
  async function inflict(text: string): Promise<void> {
    const { faultList, playheadUs } = get();
    set({ faultList: withFaults(faultList, [text]), faultMenu: null });
    const atUs = faultAtUs(text) ?? playheadUs;
    const isHere = Math.abs(atUs - playheadUs) < leadUs;
    await run({ fromUs: isHere ? Math.min(playheadUs, atUs) : Math.max(0, atUs - leadUs) });
    void check();
  }

  function setFaults(faultList: FaultList): void {
    set({ faultList });
    void check();
  }

  /** Repeats the run with the list as it is, from just before the first sentence that changed. */
  async function runFaults(): Promise<void> {
    const { design, faultList, form, edits } = get();
    const former = shownRun(get())?.request;
    if (!design || !former) return run();
    const request = requestOf(form, faultList, edits, design);
    const sinceUs = firstDifferenceUs(
      allFaults(former, design.faults),
      allFaults(request, design.faults),
    );
    await run({ fromUs: Math.max(0, (sinceUs ?? 0) - leadUs) });
  }

  async function check(): Promise<void> {
    const texts = get().faultList.map((entry) => entry.text);
    if (texts.length === 0) return;
    // Only to help: what is wrong is refused by the run as well, whatever became of this.
    const checks = await client.checkFaults(texts).catch(() => []);
    set((state) => ({ faultList: withChecks(state.faultList, checks) }));
  }

  async function saveFaults(): Promise<void> {
    const on = get().faultList.filter((entry) => entry.on);
    await attempt(async () => {
      const file = await client.saveFaults(on.map((entry) => entry.text));
      notice('good', `Saved to ${file}: every run of this design has these faults from now on.`);
    });
  }

  async function inflictLive(sentence: string): Promise<void> {
    set({ pendingFault: null });
    await attempt(async () => {
      await client.liveFault(sentence);
      notice('plain', `Done in the running system: ${sentence}.`);
    });
  }

  async function healLive(): Promise<void> {
    await attempt(async () => {
      await client.liveHeal();
      notice('good', 'All faults in the running system are ended.');
    });
  }

  return {
    inflict,
    setFaults,
    runFaults,
    saveFaults,
    inflictLive,
    healLive,
    /** Live systems are asked twice. */
    askLive: (pendingFault: string | null) => set({ pendingFault, faultMenu: null }),
    openFaultMenu: (faultMenu: FaultMenuState) => set({ faultMenu, selection: faultMenu.target }),
    closeFaultMenu: () => set({ faultMenu: null }),
  };
}

/**
 * A click on "kill" at the very end of the run that it is for, or beyond it, would hit nothing: then
 * the fault goes to a third of that run.
 */
export function faultTimeUs(
  state: Pick<StudioState, 'playheadUs' | 'form'>,
  run: RunState | undefined,
): Micros {
  if (!run) return 0;
  const whole = durationOf(state.form.duration) ?? lengthUs(run);
  const atUs = Math.ceil(state.playheadUs / 100_000) * 100_000;
  return whole > 0 && atUs > whole * 0.9 ? Math.round(whole / 3 / 1e6) * 1_000_000 : atUs;
}
