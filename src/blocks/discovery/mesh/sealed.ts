/** A value as the control plane keeps it in a file of its own: what is damaged is told, never believed. */
import type { Value } from '../../../host/host.ts';
import { LoadpathError } from '../../../kit/errors.ts';
import { decode, encode } from '../../../parts/codec.ts';
import { crc32c } from '../../../parts/crc32c.ts';

const sumBytes = 4;

export function seal(value: Value): Uint8Array {
  const content = encode(value);
  const bytes = new Uint8Array(sumBytes + content.length);
  new DataView(bytes.buffer).setUint32(0, crc32c(content));
  bytes.set(content, sumBytes);
  return bytes;
}

/** Throws `LoadpathError` ('data-corrupt'). */
export function open(name: string, bytes: Uint8Array): Value {
  const content = bytes.slice(sumBytes);
  const sum = bytes.length < sumBytes ? -1 : viewOf(bytes).getUint32(0);
  if (sum === crc32c(content)) return decode(content);
  throw new LoadpathError(
    'data-corrupt',
    `${name} is damaged. Restore it from a backup, or remove the data of this node: sidecars then get identities of a new key, and the policies of the design hold.`,
  );
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}
