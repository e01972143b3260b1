/** Hunts and sweeps: many runs, of which only what they found comes to the page. */
import type { Finding, HuntEvents, HuntRequest, SweepEvents, SweepRequest } from 'loadpath/studio';
import type { Client } from '../api/client.ts';
import type { MessagesOf, Stream } from '../api/stream.ts';
import { timeText, withFaults } from './faults.ts';
import { isGoing } from './run.ts';
import type { HuntState, Notice, StudioStore, SweepState } from './store.ts';

interface Doing {
  /** Runs what may be refused, and shows why. */
  attempt(what: () => Promise<void>): Promise<void>;
  run(): Promise<void>;
  notice(tone: Notice['tone'], text: string): void;
}

export function createSearches(
  store: StudioStore,
  client: Client,
  { attempt, run, notice }: Doing,
) {
  const { getState: get, setState: set } = store;
  let huntStream: Stream | undefined;
  let sweepStream: Stream | undefined;

  async function startHunt(request: HuntRequest): Promise<void> {
    await attempt(async () => {
      const id = await client.startHunt(request);
      huntStream?.close();
      set({ hunt: { id, request, progress: null, findings: [], report: null, failure: null } });
      const stream = client.watchHunt(id, {
        onMessages: (messages) => {
          set(({ hunt }) =>
            hunt?.id === id ? { hunt: messages.reduce(withHuntMessage, hunt) } : {},
          );
          if (messages.some(isLast)) stream.close();
        },
      });
      huntStream = stream;
    });
  }

  async function stopHunt(): Promise<void> {
    const { hunt } = get();
    if (hunt) await attempt(() => client.stopHunt(hunt.id));
  }

  /** A finding's schedule in place of the list, its seed in the form, and runs it. */
  async function takeFinding(finding: Finding): Promise<void> {
    const { form, faultList } = get();
    set({
      form: {
        ...form,
        seed: String(finding.seed),
        duration: timeText(finding.forUs),
        rate: finding.ratePerSec === undefined ? '' : String(finding.ratePerSec),
        seeds: '1',
        isProbed: true,
      },
      faultList: withFaults(
        faultList.map((entry) => ({ ...entry, on: false })),
        finding.faults,
      ),
      panel: 'verdict',
    });
    const before = get().shownRun;
    await run();
    const { shownRun } = get();
    if (shownRun !== null && shownRun !== before) sayIfItHolds(finding, shownRun);
  }

  /** A verdict of "Holds" alone would pass for a finding that was mended. */
  function sayIfItHolds({ seed, invariant }: Finding, id: string): void {
    const leave = store.subscribe(({ runs }) => {
      const shown = runs.get(id);
      if (shown && !shown.report && isGoing(shown)) return;
      leave();
      const verdicts = shown?.report?.invariants;
      if (!verdicts || shown.state === 'stopped') return;
      if (verdicts.some(({ name, verdict }) => name === invariant && verdict === 'violated'))
        return;
      notice('bad', `Not broken again: the hunt found that seed ${seed} breaks ${invariant}.`);
    });
  }

  async function startSweep(request: SweepRequest): Promise<void> {
    await attempt(async () => {
      const id = await client.startSweep(request);
      sweepStream?.close();
      set({ sweep: { id, request, points: [], report: null, failure: null } });
      const stream = client.watchSweep(id, {
        onMessages: (messages) => {
          set(({ sweep }) =>
            sweep?.id === id ? { sweep: messages.reduce(withSweepMessage, sweep) } : {},
          );
          if (messages.some(isLast)) stream.close();
        },
      });
      sweepStream = stream;
    });
  }

  async function stopSweep(): Promise<void> {
    const { sweep } = get();
    if (sweep) await attempt(() => client.stopSweep(sweep.id));
  }

  return { startHunt, stopHunt, takeFinding, startSweep, stopSweep };
}

function isLast(message: { readonly name: string }): boolean {
  return message.name === 'report' || message.name === 'failed';
}

function withHuntMessage(hunt: HuntState, message: MessagesOf<HuntEvents>): HuntState {
  switch (message.name) {
    case 'progress':
      return { ...hunt, progress: message.data };
    case 'finding':
      return { ...hunt, findings: [...hunt.findings, message.data] };
    case 'report':
      return { ...hunt, report: message.data, findings: message.data.findings };
    case 'failed':
      return { ...hunt, failure: message.data };
  }
}

function withSweepMessage(sweep: SweepState, message: MessagesOf<SweepEvents>): SweepState {
  switch (message.name) {
    case 'point':
      return { ...sweep, points: [...sweep.points, message.data] };
    case 'report':
      return { ...sweep, report: message.data, points: message.data.points };
    case 'failed':
      return { ...sweep, failure: message.data };
  }
}
