import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { configure, type OptionsOf } from '../kit/config.ts';
import { seeded } from '../kit/random.ts';
import { HealthCheck, healthKnobs } from './health.ts';

function checkOf(options: OptionsOf<typeof healthKnobs>, seed = 1): HealthCheck {
  const { config, problems } = configure('health', healthKnobs, options);
  expect(problems).toEqual([]);
  return new HealthCheck(config, seeded(seed));
}

describe('a health check', () => {
  test('changes its mind exactly after so many answers in a row, and says so once', () => {
    fc.assert(
      fc.property(
        fc.array(fc.boolean(), { minLength: 1, maxLength: 100 }),
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 1, max: 4 }),
        (answers, rise, fall) => {
          const check = checkOf({ rise, fall });
          let believed: boolean | undefined;
          for (let i = 0; i < answers.length; i++) {
            const ok = answers[i]!;
            const needed = believed === undefined ? 1 : ok ? rise : fall;
            const row = answers.slice(Math.max(0, i + 1 - needed), i + 1);
            const changes =
              ok !== believed && row.length === needed && row.every((one) => one === ok);
            const said = check.answered(ok);
            if ((said !== undefined) !== changes) return false;
            if (changes) believed = ok;
            if (check.isUp !== (believed === true)) return false;
          }
          return true;
        },
      ),
    );
  });

  test('asks sooner while it is not sure, and callers drift apart', () => {
    const check = checkOf({ interval: '2s', intervalUndecided: '500ms', jitter: 0.1 });
    expect(check.nextInUs()).toBeLessThanOrEqual(550_000);
    check.answered(true);
    const waits = Array.from({ length: 1_000 }, () => check.nextInUs());
    expect(Math.min(...waits)).toBeGreaterThanOrEqual(1_800_000);
    expect(Math.max(...waits)).toBeLessThanOrEqual(2_200_000);
    expect(new Set(waits).size).toBeGreaterThan(900);
    check.answered(false);
    expect(check.nextInUs()).toBeLessThanOrEqual(550_000);
    check.answered(true);
    expect(check.nextInUs()).toBeGreaterThan(1_000_000);
  });
});
