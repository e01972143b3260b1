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

const needsCare = /[%\\]|\/\./;
const unreserved = /[A-Za-z0-9\-._~]/;

/** As RFC 3986, 6.2.2, with backslashes read as the URL standard reads them. */
export function normalPath(path: string): string {
  if (!needsCare.test(path)) return path;
  const plain = path.replaceAll('\\', '/').replace(/%([0-9a-f]{2})/gi, (whole, hex: string) => {
    const letter = String.fromCharCode(Number.parseInt(hex, 16));
    return unreserved.test(letter) ? letter : whole.toUpperCase();
  });
  return plain.includes('/.') ? withoutDots(plain) : plain;
}

function withoutDots(path: string): string {
  const kept: string[] = [];
  const parts = path.split('/');
  parts.forEach((part, index) => {
    const isLast = index === parts.length - 1;
    if (part === '..') {
      if (kept.length > 1) kept.pop();
      if (isLast) kept.push('');
    } else if (part === '.') {
      if (isLast) kept.push('');
    } else kept.push(part);
  });
  return kept.length === 1 ? '/' : kept.join('/');
}
