/** A design of data in a link: compressed into the fragment, which no server ever sees. */
import type { JsonDesign } from 'loadpath/studio';

const mark = 'design=';
/** Browsers and chats cut longer ones. */
export const linkMax = 32_000;

/** What goes behind `#`. */
export async function fragmentOf(design: JsonDesign): Promise<string> {
  const bytes = new TextEncoder().encode(JSON.stringify(design));
  const packed = await throughStream(bytes, new CompressionStream('deflate-raw'));
  return mark + textOf(packed);
}

export function holdsDesign(fragment: string): boolean {
  return fragment.replace(/^#/, '').startsWith(mark);
}

const keptName = 'loadpath.link';

/**
 * A link has no token, so that it opens no page by itself. What it holds is kept in the browser until
 * the address with the token is opened there, perhaps in another tab.
 */
export function keepLink(storage: LinkStorage, fragment: string): void {
  if (holdsDesign(fragment)) storage.setItem(keptName, fragment);
}

/** It is offered once. */
export function takeLink(storage: LinkStorage): string {
  const fragment = storage.getItem(keptName) ?? '';
  storage.removeItem(keptName);
  return fragment;
}

export type LinkStorage = Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>;

/** Undefined: there is no design in it. Throws when there is one that cannot be read. */
export async function designIn(fragment: string): Promise<JsonDesign | undefined> {
  if (!holdsDesign(fragment)) return undefined;
  const text = fragment.replace(/^#/, '');
  try {
    const packed = bytesOf(text.slice(mark.length));
    const bytes = await throughStream(packed, new DecompressionStream('deflate-raw'));
    const design: unknown = JSON.parse(new TextDecoder().decode(bytes));
    if (typeof design === 'object' && design !== null && !Array.isArray(design)) {
      return design as JsonDesign;
    }
  } catch {
    // Cut off or changed on its way: told below, as the one thing that a reader can act on.
  }
  throw new Error(
    'The link holds a design, but not all of it: it was cut off or changed. Ask for it again.',
  );
}

async function throughStream(
  bytes: Uint8Array<ArrayBuffer>,
  stream: CompressionStream | DecompressionStream,
): Promise<Uint8Array<ArrayBuffer>> {
  const through = new Blob([bytes]).stream().pipeThrough(stream);
  return new Uint8Array(await new Response(through).arrayBuffer());
}

function textOf(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
}

function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (one) =>
    one.charCodeAt(0),
  );
}
