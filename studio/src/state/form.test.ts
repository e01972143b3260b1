import { describe, expect, test } from 'vitest';
import { withFaults } from './faults.ts';
import { commandOf, emptyForm, formProblems, formWith, requestOf, sameButFaults } from './form.ts';

const design = { faults: [] };

describe('the run control', () => {
  test('an empty field leaves it to the design', () => {
    expect(requestOf(emptyForm, [], {}, design)).toEqual({
      seed: 1,
      faults: [],
      ownFaults: true,
      set: {},
    });
  });

  test('bare numbers are seconds, and requests a second', () => {
    const form = { seed: '7', duration: '90', rate: '250', seeds: '5' };
    expect(requestOf(form, [], {}, design)).toMatchObject({
      seed: 7,
      forUs: 90_000_000,
      ratePerSec: 250,
      seeds: 5,
    });
    expect(requestOf({ ...form, rate: '30/min' }, [], {}, design).ratePerSec).toBe(0.5);
  });

  test('every field says what it takes', () => {
    const form = { seed: '-1', duration: 'soon', rate: 'many', seeds: '0' };
    expect(Object.keys(formProblems(form)).sort()).toEqual(['duration', 'rate', 'seed', 'seeds']);
    expect(formProblems(emptyForm)).toEqual({});
  });

  test('the same run on the command line can be pasted into a shell', () => {
    const form = { ...emptyForm, seed: '7', duration: '90' };
    const request = requestOf(
      form,
      withFaults([], ['kill links/1 at 30s']),
      { 'links.replicas': 5 },
      design,
    );
    expect(commandOf(request, 'examples/shortener')).toBe(
      "npx loadpath sim examples/shortener --seed 7 --for 90s --set links.replicas=5 --fault 'kill links/1 at 30s'",
    );
  });

  test('what a hunt found is probed as the hunt did, until another seed is typed', () => {
    const found = formWith(emptyForm, { seed: '7', isProbed: true });
    const request = requestOf(formWith(found, { duration: '5' }), [], {}, design);
    expect(request).toMatchObject({ seed: 7, probe: true });
    expect(commandOf(request, 'shop.ts')).toBe(
      'npx loadpath sim shop.ts --seed 7 --for 5s --probe',
    );
    expect(requestOf(formWith(found, { seed: '8' }), [], {}, design)).not.toHaveProperty('probe');
  });

  test('runs are the same but for their faults when all else is equal', () => {
    const a = requestOf(emptyForm, [], {}, design);
    const b = requestOf(emptyForm, withFaults([], ['kill api/0 at 1s']), {}, design);
    expect(sameButFaults(a, b)).toBe(true);
    expect(sameButFaults(a, { ...b, seed: 2 })).toBe(false);
    expect(sameButFaults(a, { ...b, set: { 'links.replicas': 5 } })).toBe(false);
  });
});
