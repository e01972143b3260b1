import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Ring, type RingMember } from './ring.ts';

const members = (count: number, zones: readonly string[] = ['a', 'b', 'c']): RingMember[] =>
  Array.from({ length: count }, (_, i) => ({ id: `links/${i}`, zone: zones[i % zones.length]! }));
const keys = Array.from({ length: 20_000 }, (_, i) => `key-${i}`);

describe('owners', () => {
  test('are distinct, and in distinct zones as far as there are zones', () => {
    const ring = new Ring(members(9));
    const zoneOf = new Map(members(9).map((member) => [member.id, member.zone]));
    for (const key of keys.slice(0, 2_000)) {
      const owners = ring.owners(key, 5);
      expect(new Set(owners).size).toBe(5);
      expect(new Set(owners.slice(0, 3).map((id) => zoneOf.get(id))).size).toBe(3);
    }
  });

  test('of more replicas begin with those of fewer, and the walk with both', () => {
    const ring = new Ring(members(7, ['a', 'b']));
    for (const key of keys.slice(0, 500)) {
      const walk = ring.walk(key);
      expect([...walk].sort()).toEqual(members(7).map((member) => member.id));
      for (let count = 1; count <= 8; count++) {
        expect(ring.owners(key, count)).toEqual(walk.slice(0, count));
      }
    }
  });

  test('do not depend on the order in which members are listed', () => {
    const ring = new Ring(members(6));
    const reversed = new Ring(members(6).reverse());
    for (const key of keys.slice(0, 500)) expect(ring.walk(key)).toEqual(reversed.walk(key));
  });

  test('agree with a plain scan of the circle, for any members', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.nat(50), { minLength: 1, maxLength: 8 }),
        fc.string(),
        (ids, key) => {
          const alone = ids.map((id) => ({ id: `n/${id}`, zone: 'a' }));
          // Without zones, a member that is removed leaves the order of the others as it was.
          const walk = new Ring(alone, { tokens: 8 }).walk(key);
          for (const gone of alone) {
            const rest = alone.filter((member) => member !== gone);
            if (rest.length === 0) continue;
            expect(new Ring(rest, { tokens: 8 }).walk(key)).toEqual(
              walk.filter((id) => id !== gone.id),
            );
          }
        },
      ),
    );
  });
});

describe('balance', () => {
  test('the fullest member is within a quarter of the mean', () => {
    const load = count(new Ring(members(10)));
    expect(Math.max(...load.values()) / (keys.length / 10)).toBeLessThan(1.25);
  });

  test('a member of double weight keeps about double', () => {
    const ring = new Ring(
      members(4, ['a']).map((member, i) => ({ ...member, weight: i === 0 ? 2 : 1 })),
    );
    const load = count(ring);
    expect(load.get('links/0')! / (keys.length / 5)).toBeGreaterThan(1.5);
    expect(load.get('links/0')! / (keys.length / 5)).toBeLessThan(2.5);
  });

  test('a new member takes its share and moves nothing between the others', () => {
    const before = new Ring(members(9, ['a']));
    const after = new Ring(members(10, ['a']));
    let moved = 0;
    for (const key of keys) {
      const [was] = before.owners(key, 1);
      const [is] = after.owners(key, 1);
      if (was === is) continue;
      expect(is).toBe('links/9');
      moved++;
    }
    expect(moved / keys.length).toBeLessThan(0.13);
  });

  test('tells every list of owners that some key has, and no other', () => {
    const ring = new Ring(members(5, ['a', 'b', 'c']), { tokens: 4 });
    expect(new Set(keys.map((key) => ring.owners(key, 3)))).toEqual(ring.everyOwners(3));
  });
});

function count(ring: Ring): Map<string, number> {
  const load = new Map<string, number>();
  for (const key of keys) {
    const owner = ring.owners(key, 1)[0]!;
    load.set(owner, (load.get(owner) ?? 0) + 1);
  }
  return load;
}
