/**
 * Claims that only our own mistakes can break. Never used on what arrives from
 * the network or from a user: that is input, and gets an outcome or a `LoadpathError`.
 */

export class BrokenInvariant extends Error {
  override readonly name = 'BrokenInvariant';
}

/** Throws `BrokenInvariant` with the claim in words when `condition` is false. */
export function assert(condition: unknown, claim: string): asserts condition {
  if (!condition) throw new BrokenInvariant(`broken invariant: ${claim}`);
}

/** For the `default` of a switch over a union: a compile error when a case is missing. */
export function unreachable(value: never): never {
  throw new BrokenInvariant(`broken invariant: no case for ${JSON.stringify(value)}`);
}
