/** What a frame of a stream is on the wire between two nodes, behind its length and kind. */
import type { Message, Value } from '../host/host.ts';
import { LoadpathError } from '../kit/errors.ts';
import type { ValueReader, ValueWriter } from '../parts/codec.ts';
import { acceptFrame, type Frame, refuseFrame, resetFrame } from '../parts/stream.ts';

export interface Parcel {
  readonly id: number;
  /** Whoever sends this opened the stream: both sides count their ids for themselves. */
  readonly isOurs: boolean;
  readonly frame: Frame;
  /** With the first of a stream. */
  readonly ends?: { readonly fromPort: string; readonly toPort: string } | undefined;
}

const codes = ['open', 'accept', 'data', 'credit', 'end', 'reset', 'refuse'] as const;
const oursBit = 0x80;

export function writeParcel(writer: ValueWriter, { id, isOurs, frame, ends }: Parcel): void {
  writer.u8(codes.indexOf(frame.is) | (isOurs ? oursBit : 0));
  writer.value(id);
  switch (frame.is) {
    case 'open':
      writer.text(ends?.toPort ?? '');
      writer.text(ends?.fromPort ?? '');
      writer.value(frame.opening as unknown as Value);
      return;
    case 'data':
      writer.value(frame.chunk);
      return;
    case 'credit':
      writer.value(frame.bytes);
      return;
    case 'end':
      writer.value((frame.last ?? null) as unknown as Value);
  }
}

/** @throws LoadpathError 'data-corrupt' when it is none. */
export function readParcel(reader: ValueReader): Parcel {
  const code = reader.u8();
  const is = codes[code & ~oursBit];
  const id = reader.value();
  if (is === undefined || typeof id !== 'number') throw damaged();
  const isOurs = (code & oursBit) !== 0;
  switch (is) {
    case 'open': {
      const toPort = reader.value();
      const fromPort = reader.value();
      const opening = reader.value();
      if (typeof toPort !== 'string' || typeof fromPort !== 'string' || !isMessage(opening)) {
        throw damaged();
      }
      return { id, isOurs, frame: { is, opening }, ends: { fromPort, toPort } };
    }
    case 'data': {
      const chunk = reader.value();
      if (typeof chunk !== 'string' && !(chunk instanceof Uint8Array)) throw damaged();
      return { id, isOurs, frame: { is, chunk } };
    }
    case 'credit': {
      const bytes = reader.value();
      if (typeof bytes !== 'number') throw damaged();
      return { id, isOurs, frame: { is, bytes } };
    }
    case 'end': {
      const last = reader.value();
      if (last !== null && !isMessage(last)) throw damaged();
      return { id, isOurs, frame: { is, last: last ?? undefined } };
    }
    case 'accept':
      return { id, isOurs, frame: acceptFrame };
    case 'reset':
      return { id, isOurs, frame: resetFrame };
    case 'refuse':
      return { id, isOurs, frame: refuseFrame };
  }
}

export function isMessage(value: Value): value is Message & { readonly [name: string]: Value } {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    typeof (value as { readonly type?: Value }).type === 'string'
  );
}

function damaged(): LoadpathError {
  return new LoadpathError('data-corrupt', 'not a frame of a stream');
}
