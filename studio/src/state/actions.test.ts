import type { DesignView, Finding, Report, RunRequest, RunSummary } from 'loadpath/studio';
import { describe, expect, test, vi } from 'vitest';
import { type Client, type Listener, Refused, Unreachable } from '../api/client.ts';
import type { StreamState } from '../api/stream.ts';
import { createActions } from './actions.ts';
import { faultTimeUs } from './fault-actions.ts';
import { frame, layout } from './fixture.ts';
import type { RunMessage } from './run.ts';
import { sessionOf, sessionText } from './session.ts';
import { canRun, createStudioStore, shownRun } from './store.ts';

const design: DesignView = {
  revision: 1,
  path: 'shop.ts',
  kind: 'code',
  problems: [],
  structure: { design: 'shop', zones: [], blocks: [], calls: [] },
  options: { links: { replicas: 3 } },
  objectives: {},
  invariants: [],
  faults: [],
  sources: ['shop.ts'],
  data: null,
};

/** A server of one tab: remembers what it was asked, and streams what the test tells it to. */
function server(runs: readonly RunSummary[] = []) {
  const asked: RunRequest[] = [];
  const listeners = new Map<string, Listener<RunMessage>>();
  let watcher: Parameters<Client['watch']>[0] | undefined;
  let refusal: Refused | Unreachable | undefined;
  let answering = Promise.resolve();
  const client = {
    hello: async () => ({ version: '0', mode: 'design', palette: [] }),
    design: async () => design,
    runs: async () => runs,
    startRun: async (request) => {
      if (refusal) throw refusal;
      const id = `r${asked.push(request)}`;
      const answer = answering;
      answering = Promise.resolve();
      await answer;
      return id;
    },
    checkFaults: async () => [],
    stopRun: async () => {},
    watch: (on) => {
      watcher = on;
      return { close() {} };
    },
    watchRun: (id, on) => {
      listeners.set(id, on);
      return { close: () => listeners.delete(id) };
    },
  } satisfies Partial<Client> as unknown as Client;
  return {
    client,
    contact: (state: StreamState) => watcher!.onState!(state),
    asked,
    listeners,
    stream: (id: string, messages: readonly RunMessage[]) =>
      listeners.get(id)!.onMessages(messages),
    save: (changed: DesignView) => watcher!.onMessages([{ name: 'design', data: changed }]),
    refuse: (why: Refused | Unreachable | undefined) => {
      refusal = why;
    },
    /** The next request is taken, and answered when this is called. */
    hesitate: () => {
      let answer = () => {};
      answering = new Promise((resolve) => {
        answer = resolve;
      });
      return () => answer();
    },
  };
}

async function opened(runs: readonly RunSummary[] = []) {
  const there = server(runs);
  const store = createStudioStore();
  const actions = createActions(store, there.client);
  await actions.open();
  const shown = () => shownRun(store.getState())!;
  return { ...there, store, actions, shown };
}

const film = (count: number): RunMessage[] => [
  { name: 'layout', data: layout },
  ...Array.from({ length: count }, (_, index) => ({ name: 'frame' as const, data: frame(index) })),
];

describe('a session', () => {
  test('begins with a run of seed 1, so that there is something to see', async () => {
    const { asked, store } = await opened();
    expect(asked).toEqual([{ seed: 1, faults: [], ownFaults: true, set: {} }]);
    expect(store.getState()).toMatchObject({ shownRun: 'r1', playing: true });
  });

  test('a fault repeats the run, and the page goes on from where it is', async () => {
    const { actions, asked, stream, store, shown } = await opened();
    stream('r1', film(50));
    actions.seek(2_000_000);
    await actions.inflict('kill links/1 at 2s');
    expect(asked[1]!.faults).toEqual(['kill links/1 at 2s']);
    expect(store.getState().playheadUs).toBe(2_000_000);
    expect(shown().id).toBe('r2');
    expect(shown().frames.length).toBe(20);
  });

  test('what is asked for while the first run is being started is what runs, and what is shown', async () => {
    const there = server();
    const store = createStudioStore();
    const actions = createActions(store, there.client);
    const answer = there.hesitate();
    const opening = actions.open();
    await vi.waitFor(() => expect(there.asked.length).toBe(1));
    actions.setForm({ duration: '2s' });
    const run = actions.run();
    await new Promise((resolve) => setTimeout(resolve));
    answer();
    await Promise.all([opening, run]);
    expect(there.asked.map(({ forUs }) => forUs)).toEqual([undefined, 2_000_000]);
    expect(shownRun(store.getState())).toMatchObject({ id: 'r2', state: 'running' });
  });

  test('a finding is run as the hunt did, and the page says when it does not break again', async () => {
    const { actions, asked, stream, store } = await opened();
    const finding = {
      seed: 7,
      invariant: 'no loss',
      forUs: 5_000_000,
      faults: ['kill links/1 at 2s'],
    } as unknown as Finding;
    const said = async (verdict: string): Promise<readonly string[]> => {
      store.setState({ notices: [] });
      await actions.takeFinding(finding);
      const invariants = [{ name: 'no loss', verdict, detail: '' }];
      stream(shownRun(store.getState())!.id, [
        ...film(1),
        { name: 'report', data: { invariants } as unknown as Report },
        { name: 'end', data: { state: 'done' } },
      ]);
      return store.getState().notices.map(({ text }) => text);
    };
    expect(await said('violated')).toEqual([]);
    expect(asked.at(-1)).toMatchObject({ seed: 7, probe: true, faults: finding.faults });
    expect(await said('holds')).toEqual([
      'Not broken again: the hunt found that seed 7 breaks no loss.',
    ]);
  });

  test('another seed has nothing in common with the run before', async () => {
    const { actions, stream, shown } = await opened();
    stream('r1', film(50));
    actions.setForm({ seed: '2' });
    await actions.run();
    expect(shown().frames).toEqual([]);
  });

  test('a saved design runs again, with nothing lent from the old one', async () => {
    const { asked, stream, save, shown, store } = await opened();
    stream('r1', film(50));
    save({ ...design, revision: 2 });
    await vi.waitFor(() => expect(shown().id).toBe('r2'));
    expect(asked.length).toBe(2);
    expect(shown().frames).toEqual([]);
    expect(store.getState().notices[0]!.text).toContain('shop.ts was saved');
  });

  test('a block that was moved on the board runs nothing', async () => {
    const { asked, save } = await opened();
    const drawn = { ...design, kind: 'data' as const };
    save({ ...drawn, revision: 2, data: { name: 'shop', studio: { positions: {} } } });
    save({ ...drawn, revision: 3, data: { name: 'shop', studio: { positions: { api: [1, 2] } } } });
    await vi.waitFor(() => expect(asked.length).toBe(2));
    save({ ...drawn, revision: 4, data: { name: 'store' } });
    await vi.waitFor(() => expect(asked.length).toBe(3));
  });

  test('a design with mistakes keeps the last structure and does not run', async () => {
    const { asked, save, store } = await opened();
    save({ ...design, revision: 2, structure: null, problems: [{ at: 'shop.ts', what: 'no' }] });
    expect(asked.length).toBe(1);
    expect(store.getState().design!.structure!.design).toBe('shop');
  });

  test('runs nothing while nothing can be run, and leaves the run that is shown', async () => {
    const { actions, asked, save, store } = await opened();
    const isAsked = async (act: () => Promise<void>) => {
      const before = asked.length;
      await act();
      expect(asked.length > before).toBe(canRun(store.getState()));
      return asked.length > before;
    };
    expect(await isAsked(() => actions.run())).toBe(true);
    actions.setForm({ duration: 'soon' });
    expect(await isAsked(() => actions.run())).toBe(false);
    actions.setForm({ duration: '' });
    save({ ...design, revision: 2, structure: null, problems: [{ at: 'shop.ts', what: 'no' }] });
    expect(await isAsked(() => actions.run())).toBe(false);
    expect(await isAsked(() => actions.inflict('kill links/1 at 1s'))).toBe(false);
    expect(store.getState().shownRun).toBe('r2');
  });

  test('what is refused is said, and gone with the next that is not', async () => {
    const { actions, refuse, store } = await opened();
    refuse(new Refused(400, { code: 'bad-option', message: 'no such node', problems: [] }));
    await actions.inflict('kill nobody at 1s');
    expect(store.getState().refusal!.message).toBe('no such node');
    refuse(undefined);
    await actions.run();
    expect(store.getState().refusal).toBeNull();
  });

  test('a server that is gone is said once, asked for nothing, and forgotten when it is back', async () => {
    const { actions, asked, contact, refuse, store, shown } = await opened();
    refuse(new Unreachable('nobody answers'));
    await actions.run();
    expect(store.getState().refusal?.code).toBe('unreachable');
    // A run that could not take its place goes on.
    expect(shown()).toMatchObject({ id: 'r1', state: 'running' });
    contact('lost');
    expect(store.getState()).toMatchObject({ connection: 'lost', refusal: null });
    expect(canRun(store.getState())).toBe(false);
    await actions.run();
    await actions.attempt(() => Promise.reject(new Unreachable('nobody answers')));
    expect(store.getState().refusal).toBeNull();
    refuse(undefined);
    contact('open');
    expect(store.getState()).toMatchObject({ connection: 'open', refusal: null });
    await actions.run();
    expect(asked.length).toBe(2);
  });

  test('a run that is refused leaves the one that goes on to be followed', async () => {
    const { actions, refuse, stream, shown } = await opened();
    refuse(new Refused(400, { code: 'bad-option', message: 'no such node', problems: [] }));
    await actions.inflict('kill nobody at 1s');
    stream('r1', [...film(3), { name: 'end', data: { state: 'done' } }]);
    expect(shown()).toMatchObject({ id: 'r1', state: 'done' });
  });

  test('a reloaded tab goes on with the run it showed', async () => {
    const { store, actions } = await opened();
    actions.setForm({ seed: '1' });
    const text = sessionText(store.getState());
    const request = { seed: 1, faults: [], ownFaults: true, set: {} };
    const again = server([{ id: 'r1', request, state: 'running', startedAt: '' }]);
    const fresh = createStudioStore();
    await createActions(fresh, again.client).open(sessionOf(text));
    expect(again.asked).toEqual([]);
    expect([...again.listeners.keys()]).toEqual(['r1']);
  });

  test('runs do not pile up', async () => {
    const { actions, store } = await opened();
    for (let index = 0; index < 20; index++) await actions.run();
    expect(store.getState().runs.size).toBeLessThanOrEqual(8);
  });
});

test('a session of another version is no session', () => {
  expect(sessionOf(null)).toBeUndefined();
  expect(sessionOf('{"version":0}')).toBeUndefined();
  expect(sessionOf('nonsense')).toBeUndefined();
});

test('a fault by a click hits the run that it is for, however long one looked at the one before', async () => {
  const { stream, store, shown, actions } = await opened();
  stream('r1', film(250));
  const at = (us: number, duration = '') => {
    actions.seek(us);
    actions.setForm({ duration });
    return faultTimeUs(store.getState(), shown());
  };
  expect(at(12_340_000)).toBe(12_400_000);
  expect(at(12_340_000, '10s')).toBe(3_000_000);
  expect(at(8_000_000, '10s')).toBe(8_000_000);
});
