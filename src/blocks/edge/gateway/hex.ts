/** Two digits a byte: a table, since every request writes some. */
export const hexes: readonly string[] = Array.from({ length: 256 }, (_, byte) =>
  byte.toString(16).padStart(2, '0'),
);

export function hexOf(bytes: Uint8Array): string {
  let hex = '';
  for (let i = 0; i < bytes.length; i++) hex += hexes[bytes[i]!]!;
  return hex;
}
