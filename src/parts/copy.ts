/**
 * A copy of a value that shares nothing with it: what a codec's way there and back would leave.
 *
 * In the simulator messages go from node to node as they are, and caches and logs keep what came in
 * them. So whatever user code hands over is copied, and so is whatever it is given: else one node's
 * code could change what lies in another's memory, as no network lets it. Live the same copies are
 * what keeps a retry from sending what its caller has changed meanwhile.
 *
 * Not by `encode` and `decode`, which take five to ten times as long for the small values that most are.
 */
import type { Value } from '../host/host.ts';

/** Of a value that `illegal` finds nothing wrong with, so it ends and is not too deep. */
export function copyOf<T extends Value | undefined>(value: T): T {
  return (typeof value === 'object' && value !== null ? copied(value) : value) as T;
}

function copied(value: object): Value {
  if (Array.isArray(value)) {
    const items: Value[] = [];
    for (const item of value as readonly Value[]) items.push(copyOf(item));
    return items;
  }
  // Not `slice`: a Buffer's shares its memory.
  if (value instanceof Uint8Array) return new Uint8Array(value);
  const fields = value as { readonly [name: string]: Value | undefined };
  const copy: Record<string, Value> = {};
  for (const name in fields) {
    const field = fields[name];
    if (field === undefined) continue;
    if (name === '__proto__') {
      Object.defineProperty(copy, name, {
        value: copyOf(field),
        enumerable: true,
        configurable: true,
        writable: true,
      });
    } else copy[name] = copyOf(field);
  }
  return copy;
}
