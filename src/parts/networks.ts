/** Addresses and the networks that they are in, as whole numbers. Pure. */

export interface Network {
  /** The address, with 32 or 128 bits. */
  readonly bits: bigint;
  readonly width: 32 | 128;
  readonly length: number;
}

/** Undefined for what is no address. */
export function readAddress(text: string): Pick<Network, 'bits' | 'width'> | undefined {
  const four = readFour(text);
  if (four !== undefined) return { bits: four, width: 32 };
  if (!text.includes(':')) return undefined;
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(text);
  if (mapped) return readAddress(mapped[1]!);
  const [head = '', tail, ...more] = text.split('%', 1)[0]!.split('::');
  if (more.length > 0) return undefined;
  const first = head === '' ? [] : head.split(':');
  const last = tail === undefined || tail === '' ? [] : tail.split(':');
  const missing = 8 - first.length - last.length;
  if (tail === undefined ? missing !== 0 : missing < 1) return undefined;
  const groups = [...first, ...new Array<string>(missing).fill('0'), ...last];
  if (!groups.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return undefined;
  const bits = groups.reduce((sum, group) => (sum << 16n) | BigInt(`0x${group}`), 0n);
  return { bits, width: 128 };
}

function readFour(text: string): bigint | undefined {
  const parts = text.split('.');
  if (parts.length !== 4 || !parts.every((part) => /^\d{1,3}$/.test(part))) return undefined;
  if (parts.some((part) => Number(part) > 255)) return undefined;
  return parts.reduce((sum, part) => (sum << 8n) | BigInt(part), 0n);
}

/** `20.0.0.0/8`; an address alone is a network of one. */
export function readNetwork(text: unknown): Network | undefined {
  if (typeof text !== 'string') return undefined;
  const [address = '', length, ...more] = text.split('/');
  const read = readAddress(address);
  if (!read || more.length > 0) return undefined;
  if (length !== undefined && !/^\d{1,3}$/.test(length)) return undefined;
  const bitCount = length === undefined ? read.width : Number(length);
  return bitCount > read.width ? undefined : { ...read, length: bitCount };
}

/** The network that its owner likely has whole: /24 of IPv4, /64 of IPv6. What is no address stays. */
export function networkOf(ip: string): string {
  const colon = ip.includes(':');
  if (!colon) {
    const dot = ip.lastIndexOf('.');
    return dot > 0 ? ip.slice(0, dot) : ip;
  }
  const read = readAddress(ip);
  if (!read) return ip;
  if (read.width === 32) return networkOf(ip.slice(ip.lastIndexOf(':') + 1));
  return (read.bits >> 64n).toString(16);
}

/** The name of the longest network that covers an address. */
export class Atlas {
  readonly #networks: readonly (Network & { readonly name: string })[];

  constructor(named: readonly { readonly network: string; readonly name: string }[]) {
    this.#networks = named
      .map(({ network, name }) => ({ ...readNetwork(network)!, name }))
      .sort((a, b) => b.length - a.length);
  }

  /** `elsewhere` when none does. */
  locationOf(ip: string): string {
    const read = readAddress(ip);
    if (!read) return 'elsewhere';
    const found = this.#networks.find(({ bits, width, length }) => {
      const rest = BigInt(width - length);
      return width === read.width && bits >> rest === read.bits >> rest;
    });
    return found?.name ?? 'elsewhere';
  }
}
