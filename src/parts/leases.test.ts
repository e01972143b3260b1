import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { configure } from '../kit/config.ts';
import { Leases, leaseKnobs } from './leases.ts';

describe('leases', () => {
  test('hold what a plain map with expiries holds, whatever is done', () => {
    const steps = fc.array(
      fc.record({
        do: fc.constantFrom('grant', 'renew', 'release', 'lapse', 'wait'),
        id: fc.integer({ min: 0, max: 6 }),
        us: fc.integer({ min: 1, max: 40 }),
      }),
      { maxLength: 200 },
    );
    fc.assert(
      fc.property(steps, (actions) => {
        const leases = new Leases<number>({ leasesMax: 5 });
        const twin = new Map<string, { value: number; until: number }>();
        let now = 0;
        for (const [value, action] of actions.entries()) {
          const id = `n${action.id}`;
          const known = twin.get(id);
          switch (action.do) {
            case 'grant': {
              const fits = known !== undefined || twin.size < 5;
              if (leases.grant(id, value, now, action.us) !== fits) return false;
              if (fits) twin.set(id, { value, until: now + action.us });
              break;
            }
            case 'renew': {
              const held = known !== undefined && known.until > now;
              if (leases.renew(id, now, action.us) !== held) return false;
              if (held) known.until = now + action.us;
              break;
            }
            case 'release':
              if (leases.release(id) !== twin.delete(id)) return false;
              break;
            case 'lapse': {
              const over = [...twin].filter(([, one]) => one.until <= now).map(([name]) => name);
              const untilOf = new Map(twin);
              const lapsed = leases.lapse(now);
              if ([...lapsed].sort().join() !== over.sort().join()) return false;
              const untils = lapsed.map((name) => untilOf.get(name)!.until);
              if (untils.some((until, i) => i > 0 && until < untils[i - 1]!)) return false;
              for (const name of over) twin.delete(name);
              break;
            }
            case 'wait':
              now += action.us;
          }
          const earliest = Math.min(...[...twin.values()].map((one) => one.until));
          if (twin.size > 0 && leases.nextAt > earliest) return false;
          if (leases.size !== twin.size) return false;
          const held = [...twin].filter(([, one]) => one.until > now);
          const said = [...leases.held(now)];
          if (
            said
              .map(([name, kept]) => `${name}=${kept}`)
              .sort()
              .join() !==
            held
              .map(([name, one]) => `${name}=${one.value}`)
              .sort()
              .join()
          ) {
            return false;
          }
        }
        return true;
      }),
    );
  });

  test('a revision moves with who is here, not with renewals', () => {
    const leases = new Leases<string>({ leasesMax: 9 });
    leases.grant('a', 'x', 0, 10);
    const { revision } = leases;
    leases.renew('a', 5, 10);
    expect(leases.revision).toBe(revision);
    leases.lapse(15);
    expect(leases.revision).toBe(revision + 1);
  });

  test('renewals by the thousand leave nothing behind', () => {
    const leases = new Leases<number>({ leasesMax: 10 });
    for (let i = 0; i < 10; i++) leases.grant(`n${i}`, i, 0, 30_000_000);
    for (let now = 1; now < 10_000; now++) {
      leases.renew(`n${now % 10}`, now * 1_000_000, 30_000_000);
      leases.lapse(now * 1_000_000);
    }
    expect([leases.size, leases.nextAt > 9_999_000_000]).toEqual([10, true]);
  });

  test('its knobs let two renewals be lost', () => {
    const { config } = configure('leases', leaseKnobs, {});
    expect(config.ttlUs).toBeGreaterThanOrEqual(3 * config.renewEveryUs);
  });
});
