/**
 * The URL that a text says, or undefined where it says none (WHATWG URL). Not by `URL.canParse`: once a
 * process has called that a few thousand times, Node 20 takes it for "no" on every text with a letter of
 * Latin-1 that is not ASCII, such as `https://bücher.example/`.
 */
export function parseUrl(text: string, base?: string | URL): URL | undefined {
  try {
    return new URL(text, base);
  } catch {
    return undefined;
  }
}
