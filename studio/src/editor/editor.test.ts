import type { JsonDesign } from 'loadpath/studio';
import { describe, expect, test } from 'vitest';
import { begin, change, redo, settle, undo } from '../state/history.ts';
import { isSaved, keptOf, withRead, withSent } from '../state/kept.ts';
import {
  addBlock,
  addUsers,
  blockOf,
  blocksOf,
  connect,
  disconnect,
  mistakesIn,
  move,
  nameProblem,
  optionsIn,
  placesOf,
  remove,
  rename,
  setOption,
  wiresOf,
} from './board.ts';
import { readCalls, writeCalls } from './calls.ts';

const empty: JsonDesign = { name: 'design', blocks: [], entry: '' };

/** As somebody draws it: users, a gateway, two services. */
function shop(): JsonDesign {
  let design = addUsers(empty);
  [design] = addBlock(design, 'gateway');
  [design] = addBlock(design, 'service');
  [design] = addBlock(design, 'service');
  design = rename(design, 'service', 'api');
  design = rename(design, 'service-2', 'store');
  design = connect(design, 'users', 'gateway');
  design = connect(design, 'gateway', 'api');
  return connect(design, 'api', 'store');
}

describe('a design drawn from nothing', () => {
  test('is not wrong before there is a block', () => {
    const entry = { at: 'design.entry', what: "there is no block ''" };
    const promise = { at: 'design.objectives.p99', what: 'is no duration' };
    expect(mistakesIn(empty, [entry, promise])).toEqual([promise]);
    expect(mistakesIn(shop(), [entry])).toEqual([entry]);
  });

  test('is what one would have written', () => {
    const { studio: _places, ...design } = shop();
    expect(design).toEqual({
      name: 'design',
      users: { rate: '100/s' },
      entry: 'gateway',
      blocks: [
        { kind: 'gateway', name: 'gateway', routes: { '/': 'api' } },
        { kind: 'service', name: 'api', calls: ['store'] },
        { kind: 'service', name: 'store' },
      ],
    });
  });

  test('the first block is the entry until users are led elsewhere', () => {
    const [one] = addBlock(empty, 'service');
    const [two] = addBlock(one, 'gateway');
    expect(two.entry).toBe('service');
    expect(connect(two, 'users', 'gateway').entry).toBe('gateway');
  });

  test('a second route of a gateway gets a path of its own', () => {
    const design = connect(shop(), 'gateway', 'store');
    expect(blockOf(design, 'gateway')?.routes).toEqual({ '/': 'api', '/store': 'store' });
  });

  test('routes in a list stay one: wires are seen in it, added, renamed and taken away', () => {
    const page = { aggregate: { parts: { a: { from: 'api', path: '/a' } }, shape: '$a' } };
    const routes = [
      { path: '/api', methods: ['GET'], to: 'api' },
      { path: '/page', to: page },
      { path: '/old', redirect: '/api' },
    ];
    const listed = {
      ...shop(),
      blocks: blocksOf(shop()).map((one) => (one.kind === 'gateway' ? { ...one, routes } : one)),
    };
    const ofGateway = (design: JsonDesign) =>
      wiresOf(design).flatMap(({ from, to, path }) =>
        from === 'gateway' ? [`${path} ${to}`] : [],
      );
    expect(ofGateway(listed)).toEqual(['/api api', '/page api']);

    const connected = connect(listed, 'gateway', 'store');
    expect(blockOf(connected, 'gateway')?.routes).toEqual([...routes, { path: '/', to: 'store' }]);
    expect(ofGateway(rename(connected, 'api', 'web'))).toEqual([
      ...['/api web', '/page web', '/ store'],
    ]);
    expect(blockOf(disconnect(connected, 'gateway', 'api'), 'gateway')?.routes).toEqual([
      routes[2],
      { path: '/', to: 'store' },
    ]);
  });

  test('what cannot be connected is left as it was', () => {
    const [design, outside] = addBlock(shop(), 'external');
    expect(connect(design, outside, 'api')).toBe(design);
    expect(connect(design, 'api', 'api')).toBe(design);
    expect(connect(design, 'api', 'store')).toBe(design);
    expect(connect(design, 'api', 'nobody')).toBe(design);
  });

  test('a balancer leads to one block, whatever becomes of its name', () => {
    const [added, lb] = addBlock(shop(), 'balancer');
    const design = connect(connect(connect(added, lb, 'api'), lb, 'gateway'), 'users', lb);
    expect(blockOf(design, lb)?.to).toBe('gateway');
    expect(wiresOf(design)).toContainEqual({ from: lb, to: 'gateway', as: 'call' });
    expect(blockOf(rename(design, 'gateway', 'edge'), lb)?.to).toBe('edge');
    expect(blockOf(remove(design, 'gateway'), lb)).not.toHaveProperty('to');
    expect(blockOf(disconnect(design, lb, 'gateway'), lb)).not.toHaveProperty('to');
  });

  test('a proxy asks one block for any host, and others by name', () => {
    const [added, egress] = addBlock(shop(), 'forwardProxy');
    const design = connect(connect(added, egress, 'api'), egress, 'store');
    expect(blockOf(design, egress)?.sites).toEqual({ '*': 'api', store: 'store' });
    expect(wiresOf(design)).toContainEqual({ from: egress, to: 'api', as: 'route', path: '*' });
    expect(blockOf(rename(design, 'api', 'web'), egress)?.sites).toEqual({
      '*': 'web',
      store: 'store',
    });
    expect(blockOf(remove(design, 'store'), egress)?.sites).toEqual({ '*': 'api' });
  });

  test('a new name goes wherever the old one stood', () => {
    const broken = { ...shop(), faults: ['kill store/0 at 3s', 'cut api from store at 5s for 2s'] };
    const design = rename(broken, 'store', 'ledger');
    expect(blockOf(design, 'api')?.calls).toEqual(['ledger']);
    expect(design.faults).toEqual(['kill ledger/0 at 3s', 'cut api from ledger at 5s for 2s']);
    expect(placesOf(design).get('ledger')).toEqual(placesOf(broken).get('store'));
    expect(rename(design, 'gateway', 'edge').entry).toBe('edge');
  });

  test('what led to a removed block is gone with it', () => {
    const nested = setOption(shop(), 'api', 'calls', [
      { parallel: ['store', { sometimes: { chance: 0.5, call: { optional: 'store' } } }] },
      { work: '1ms' },
    ]);
    expect(wiresOf(nested)).toContainEqual({ from: 'api', to: 'store', as: 'call' });
    const design = remove(nested, 'store');
    expect(blockOf(design, 'api')?.calls).toEqual([{ work: '1ms' }]);
    expect(remove(design, 'gateway').entry).toBe('api');
    expect(remove(design, 'users').users).toBeUndefined();
  });

  test('a disconnected pair can be connected again', () => {
    const design = disconnect(shop(), 'api', 'store');
    expect(wiresOf(design).some(({ from }) => from === 'api')).toBe(false);
    expect(wiresOf(connect(design, 'api', 'store'))).toHaveLength(3);
  });

  test('names that cannot be are told why', () => {
    expect(nameProblem(shop(), 'api', 'store')).toMatch('Another block');
    expect(nameProblem(shop(), 'api', '9x')).toMatch('begins with a letter');
    expect(nameProblem(shop(), 'api', 'users')).toMatch('load');
    expect(nameProblem(shop(), 'api', 'api')).toBeUndefined();
    expect(nameProblem(shop(), 'api', 'web-2')).toBeUndefined();
  });

  test('a file without places is laid out from users on, and nothing lies on anything', () => {
    const { studio: _none, ...design } = shop();
    const places = placesOf(design);
    expect(places.get('users')!.x).toBeLessThan(places.get('gateway')!.x);
    expect(places.get('api')!.x).toBeLessThan(places.get('store')!.x);
    expect(new Set([...places.values()].map(({ x, y }) => `${x} ${y}`)).size).toBe(4);
  });

  test('a circle of calls has places as well', () => {
    const design = connect(shop(), 'store', 'api');
    const { studio: _none, ...unplaced } = design;
    expect(placesOf(unplaced).size).toBe(4);
  });

  test('an option taken away is not there', () => {
    const design = setOption(shop(), 'api', 'slots', 8);
    expect(blockOf(design, 'api')?.slots).toBe(8);
    expect(blockOf(setOption(design, 'api', 'slots', undefined), 'api')).not.toHaveProperty(
      'slots',
    );
    expect(setOption(shop(), 'users', 'rate', '5/s').users).toEqual({ rate: '5/s' });
  });

  test('an option within an option is set and taken away with what held it', () => {
    const design = setOption(shop(), 'gateway', 'policy.retry.attempts', 3);
    const gateway = blockOf(design, 'gateway')!;
    expect(gateway.policy).toEqual({ retry: { attempts: 3 } });
    expect(optionsIn(gateway)).toContainEqual(['policy.retry.attempts', 3]);
    const back = setOption(design, 'gateway', 'policy.retry.attempts', undefined);
    expect(blockOf(back, 'gateway')).not.toHaveProperty('policy');
  });
});

describe('calls as rows', () => {
  test.each([
    [undefined],
    [['a', 'b']],
    [[{ parallel: ['a', { optional: 'b' }] }]],
    [['a', { sometimes: { chance: 0.25, call: { optional: 'b' } } }]],
  ])('%j comes back as it was', (calls) => {
    expect(writeCalls(readCalls(calls)!)).toEqual(calls);
  });

  test('what rows cannot say is not touched', () => {
    expect(readCalls(['a', { work: '1ms' }])).toBeUndefined();
    expect(readCalls([{ sequence: ['a'] }])).toBeUndefined();
  });
});

describe('history', () => {
  test('undo gives back what was, redo what was undone', () => {
    const drawn = change(change(begin('a'), 'b'), 'c');
    expect(undo(drawn).now).toBe('b');
    expect(undo(undo(undo(drawn))).now).toBe('a');
    expect(redo(undo(drawn)).now).toBe('c');
    expect(redo(drawn)).toBe(drawn);
  });

  test('a drag is one step, and a second drag another', () => {
    let history = begin(shop());
    for (const x of [10, 20, 30]) {
      history = change(history, move(history.now, 'api', { x, y: 0 }), 'move api');
    }
    expect(history.past).toHaveLength(1);
    history = settle(history);
    history = change(history, move(history.now, 'api', { x: 90, y: 0 }), 'move api');
    expect(placesOf(undo(history).now).get('api')).toEqual({ x: 30, y: 0 });
  });

  test('what was drawn is known as long as the file holds what the board sent', () => {
    const first = shop();
    const second = rename(first, 'store', 'links');
    const drawn = { ...keptOf(first), history: change(begin(first), second) };
    expect(isSaved(drawn)).toBe(false);
    const sent = withSent(drawn, second);
    expect(isSaved(sent)).toBe(true);
    // The board is left and opened again, before and after the file says what it was sent.
    expect(withRead(sent, first)).toBe(sent);
    expect(undo(withRead(sent, second).history).now).toBe(first);
    // Somebody else wrote to it.
    const foreign = withRead(sent, rename(first, 'store', 'other'));
    expect(foreign.history.past).toEqual([]);
    expect(isSaved(foreign)).toBe(true);
  });

  test('a change after an undo forgets what was undone', () => {
    const history = change(undo(change(begin(1), 2)), 3);
    expect(history).toMatchObject({ past: [1], now: 3, future: [] });
  });
});
