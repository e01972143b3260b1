/**
 * Which country an address is from, by its prefix. A handful of whole /8 networks that belong to one
 * country, enough to see geography in the counts; a real deployment would load a full table.
 */
const countryByFirstOctet: Readonly<Record<string, string>> = {
  '17': 'US',
  '25': 'GB',
  '53': 'DE',
  '73': 'US',
  '126': 'JP',
  '133': 'JP',
};

export function countryOf(ip: string): string {
  return countryByFirstOctet[ip.slice(0, ip.indexOf('.'))] ?? 'other';
}

const octets = ['17', '73', '73', '25', '53', '126', '133', '201'];

/** An address for user `id`, spread over these networks. */
export function addressOf(id: number): string {
  const mixed = Math.imul(id + 1, 0x9e3779b1) >>> 0;
  return `${octets[id % octets.length]}.${mixed & 255}.${(mixed >>> 8) & 255}.${1 + ((mixed >>> 16) % 254)}`;
}
