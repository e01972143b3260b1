/** Copies of typed arrays with room for more, for parts that keep many things side by side. */

export function grownFloats(before: Float64Array, length: number): Float64Array<ArrayBuffer> {
  const floats = new Float64Array(length);
  floats.set(before);
  return floats;
}

export function grownWords(before: Uint32Array, length: number): Uint32Array<ArrayBuffer> {
  const words = new Uint32Array(length);
  words.set(before);
  return words;
}
