import { describe, expect, test } from 'vitest';
import {
  faultAtUs,
  faultEndUs,
  firstDifferenceUs,
  nudged,
  pastedFaults,
  requestedFaults,
  timeText,
  withDesignFaults,
  withFaults,
  withText,
  withToggled,
} from './faults.ts';

const own = ['kill links/1 at 30s, restart after 5s', 'surge 3x at 40s for 5s'];

describe('the list', () => {
  test('leaves the design’s faults to the design as long as nobody touches them', () => {
    const list = withFaults(withDesignFaults([], own), ['kill api/0 at 5s']);
    expect(requestedFaults(list, own)).toEqual({ ownFaults: true, faults: ['kill api/0 at 5s'] });
  });

  test('sends all as sentences once one of the design’s is off', () => {
    const list = withToggled(withDesignFaults([], own), 1);
    expect(requestedFaults(list, own)).toEqual({ ownFaults: false, faults: [own[1]] });
  });

  test('sends a changed one of the design’s as it now stands', () => {
    const list = withText(withDesignFaults([], own), 1, 'kill links/1 at 20s');
    const { ownFaults, faults } = requestedFaults(list, own);
    expect(ownFaults).toBe(false);
    expect([...faults].sort()).toEqual(['kill links/1 at 20s', own[1]]);
  });

  test('takes over what the design says after it was saved', () => {
    const list = withFaults(withToggled(withDesignFaults([], own), 2), ['kill api/0 at 5s']);
    const after = withDesignFaults(list, [own[1]!, 'pause api at 9s for 1s']);
    expect(after.map(({ text, on }) => [text, on])).toEqual([
      [own[1], false],
      ['pause api at 9s for 1s', true],
      ['kill api/0 at 5s', true],
    ]);
    expect(withDesignFaults(after, [own[1]!, 'pause api at 9s for 1s'])).toBe(after);
  });
});

describe('a sentence', () => {
  test('says when it begins and ends', () => {
    expect(faultAtUs('kill links/1 at 30s, restart after 5s')).toBe(30_000_000);
    expect(faultEndUs('kill links/1 at 30s, restart after 5s')).toBe(35_000_000);
    expect(faultEndUs('cut zone a from zone b at 1min for 20s')).toBe(80_000_000);
    expect(faultEndUs('kill links/1 at 30s')).toBeUndefined();
    expect(faultAtUs('kill links/1')).toBeUndefined();
  });

  test('can be moved, though not before the beginning', () => {
    expect(nudged('kill links/1 at 30s, restart after 5s', 500_000)).toBe(
      'kill links/1 at 30.5s, restart after 5s',
    );
    expect(nudged('kill links/1 at 1s', -5_000_000)).toBe('kill links/1 at 0s');
  });

  test('times are written as one would', () => {
    expect(timeText(12_300_000)).toBe('12.3s');
    expect(timeText(12_345_000)).toBe('12345ms');
  });
});

test('two lists differ from the first fault on that is in one of them', () => {
  expect(firstDifferenceUs(['kill a at 9s', 'kill b at 5s'], ['kill b at 5s'])).toBe(9_000_000);
  expect(firstDifferenceUs(['kill b at 5s'], ['kill b at 7s'])).toBe(5_000_000);
  expect(firstDifferenceUs(own, own)).toBeUndefined();
});

test('what is pasted may be lines, a list or options of the command line', () => {
  expect(pastedFaults('loadpath sim x --fault \'kill a at 1s\' --fault="kill b at 2s"')).toEqual([
    'kill a at 1s',
    'kill b at 2s',
  ]);
  expect(pastedFaults(" - kill a at 1s\n\n# soon\n'kill b at 2s',\n")).toEqual([
    'kill a at 1s',
    'kill b at 2s',
  ]);
});
