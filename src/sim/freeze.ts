/** Messages of checking runs are frozen: a program that changes what it was sent shows at once. */

/** Bytes cannot be frozen; a codec has copied them, so nobody shares them. */
export function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value;
  if (Object.isFrozen(value)) return value;
  Object.freeze(value);
  for (const field of Object.values(value)) deepFreeze(field);
  return value;
}
