/**
 * Which URLs may be shortened: http and https only, to public hosts. A shortener that follows or
 * previews links into its own network would be a door into it.
 */
export type Checked =
  | { readonly ok: true; readonly url: string }
  | { readonly ok: false; readonly why: string };

const lengthMax = 2_048;
const localNames = ['localhost', 'local', 'internal', 'home.arpa', 'lan', 'intranet'];

export function checkUrl(given: unknown): Checked {
  if (typeof given !== 'string' || given.length === 0) return no('url must be text');
  if (given.length > lengthMax) return no(`url must be at most ${lengthMax} characters`);
  const url = parsed(given);
  if (url === undefined) return no('url must be absolute, like https://example.com/');
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return no('only http and https');
  if (url.username || url.password) return no('no user name or password in the url');
  // `URL` has already turned 0x7f.1 and 2130706433 into 127.0.0.1.
  const host = url.hostname.toLowerCase().replace(/\.$/, '');
  if (isPrivateHost(host)) return no('no private or local addresses');
  return { ok: true, url: url.href };
}

/** Not by `URL.canParse`: that of Node 20 says no to umlauts once it is called often. */
function parsed(url: string): URL | undefined {
  try {
    return new URL(url);
  } catch {
    return undefined;
  }
}

function isPrivateHost(host: string): boolean {
  if (host.startsWith('[')) return isPrivateV6(host.slice(1, -1));
  const parts = host.split('.').map(Number);
  if (parts.length === 4 && parts.every((part) => Number.isInteger(part))) {
    return isPrivateV4(parts[0]!, parts[1]!);
  }
  if (!host.includes('.')) return true;
  return localNames.some((name) => host === name || host.endsWith(`.${name}`));
}

/** RFC 6890: this network, private, shared, loopback, link-local, benchmarks, multicast, reserved. */
function isPrivateV4(a: number, b: number): boolean {
  return (
    a === 0 ||
    a === 10 ||
    a === 127 ||
    a >= 224 ||
    (a === 100 && b >= 64 && b < 128) ||
    (a === 169 && b === 254) ||
    (a === 172 && b >= 16 && b < 32) ||
    (a === 192 && (b === 168 || b === 0)) ||
    (a === 198 && (b === 18 || b === 19))
  );
}

/** Only 2000::/3 is public; within it, addresses that carry an IPv4 one (6to4, Teredo) are not let through. */
function isPrivateV6(host: string): boolean {
  const first = Number.parseInt(host.split(':')[0] || '0', 16);
  if (first < 0x2000 || first > 0x3fff) return true;
  return first === 0x2002 || host.startsWith('2001:0:') || host.startsWith('2001::');
}

function no(why: string): Checked {
  return { ok: false, why };
}
