/** What `load` sends and to whom, as the command line says: nothing of it is left out or altered without a word. */
import { existsSync, readFileSync } from 'node:fs';
import { refuse } from '../../kit/errors.ts';
import { parseUrl } from '../../kit/url.ts';
import type { LoadOptions, LoadOutcome } from '../../live/load.ts';
import { perSec } from '../figures.ts';
import type { Given } from '../options.ts';

export type Headers = LoadOptions['headers'];

/** Undefined for what is a design; throws `bad-option` for what is neither. */
export function addressIn(target: string): URL | undefined {
  const wrong = (what: string) => refuse('bad-option', 'the command line', [{ at: target, what }]);
  const scheme = /^([a-z][a-z\d+.-]*):\/\//i.exec(target)?.[1]?.toLowerCase();
  if (scheme === undefined) {
    const isHost = /^([\w.-]+|\[[\da-f:.]+\]):\d+(\/|$)/i.test(target) && !existsSync(target);
    return isHost ? wrong(`has no scheme: is it http://${target}?`) : undefined;
  }
  if (scheme !== 'http' && scheme !== 'https') {
    return wrong('must begin with http:// or https://');
  }
  return parseUrl(target) ?? wrong('is not a URL');
}

/** As reports and logs may show it. */
export function withoutSecrets(url: URL, target: string): string {
  if (url.username === '' && url.password === '') return target;
  const shown = new URL(url);
  shown.username = '';
  shown.password = '';
  return shown.href;
}

/** Headers that say how a message is framed, or what becomes of its connection, which the generator decides. */
const ownHeaders = ['transfer-encoding', 'content-length', 'keep-alive', 'upgrade', 'expect'];
const connectionValues = ['close', 'keep-alive'];

/** In the order given, also several of one name; and the user of the URL, unless a header says who it is. */
export function headersOf(given: Given, url: URL): Headers {
  const headers: [name: string, value: string][] = [];
  for (const text of given.texts('header')) {
    const [, name = '', value = ''] = /^([!#$%&'*+.^_`|~\w-]+):\s*(.*)$/.exec(text) ?? [];
    const key = name.toLowerCase();
    if (name === '') given.problem('header', `must be like 'name: value', got '${text}'`);
    else if (/[^\t\x20-\x7e\x80-\xff]/.test(value)) {
      given.problem('header', `${key} has a character that no header may have`);
    } else if (
      ownHeaders.includes(key) ||
      (key === 'connection' && !connectionValues.includes(value.toLowerCase()))
    ) {
      given.problem('header', `${key} is the generator's to send, not yours`);
    } else if (key === 'host' && headers.some(([other]) => other === key)) {
      given.problem('header', 'host can be given once');
    } else headers.push([key, value]);
  }
  const { username, password } = url;
  const isNamed = headers.some(([name]) => name === 'authorization');
  if (!isNamed && (username !== '' || password !== '')) {
    const user = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
    headers.push(['authorization', `Basic ${Buffer.from(user).toString('base64')}`]);
  }
  return headers;
}

export function bodyOf(given: Given): string | Uint8Array | undefined {
  const body = given.text('body');
  return body?.startsWith('@') ? fileOf(given, 'body', body.slice(1)) : body;
}

export function tlsOf(given: Given, url: URL): LoadOptions['tls'] {
  const ca = given.text('ca');
  for (const name of ['ca', 'insecure']) {
    if (given.has(name) && url.protocol !== 'https:') given.problem(name, 'is for https:// only');
  }
  return {
    ca: ca === undefined ? undefined : fileOf(given, 'ca', ca),
    isUnchecked: given.flag('insecure'),
  };
}

function fileOf(given: Given, option: string, path: string): Uint8Array | undefined {
  try {
    return readFileSync(path);
  } catch (error) {
    return given.problem(option, `cannot read ${path}: ${String(error)}`);
  }
}

/** In a short load chance moves the number of users by more than what is asked of the generator. */
export function chanceNote(
  askedPerSec: number,
  { requestedPerSec }: Pick<LoadOutcome, 'requestedPerSec'>,
): readonly string[] {
  if (Math.abs(requestedPerSec / askedPerSec - 1) <= 0.01) return [];
  return [
    `asked for were ${perSec(askedPerSec)} on average, due were ${perSec(requestedPerSec)}: arrivals are drawn by chance, unless --arrivals constant`,
  ];
}
