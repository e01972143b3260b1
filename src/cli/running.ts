/** A system that `loadpath run` started elsewhere, by the address that it printed: whoever has its token may steer it. */
import { LoadpathError } from '../kit/errors.ts';
import { parseUrl } from '../kit/url.ts';

export interface RunningSystem {
  readonly url: URL;
  readonly token: string;
}

/** `what` takes the address: an option or an argument, for the message. */
export function addressIn(what: string, address: string): RunningSystem {
  const url = parseUrl(address);
  const token = url?.searchParams.get('token');
  if (url && token) return { url, token };
  throw new LoadpathError(
    'bad-option',
    `${what} takes the address that loadpath run prints as Studio, with its token; got ${address}`,
  );
}

/** With a body it is a POST. Throws `LoadpathError` in words for who typed the address. */
export async function ask<T>(system: RunningSystem, path: string, body?: object): Promise<T> {
  const { url, token } = system;
  const authorization = `Bearer ${token}`;
  const json = { 'content-type': 'application/json' };
  const post = body && { method: 'POST', body: JSON.stringify(body) };
  const no = (why: string): LoadpathError =>
    new LoadpathError('bad-option', `${url.origin} ${why}`);
  let response: Response;
  try {
    response = await fetch(new URL(path, url), {
      ...post,
      headers: { authorization, ...(post ? json : {}) },
      signal: AbortSignal.timeout(30_000),
    });
  } catch {
    throw no('does not answer: is the system still running?');
  }
  if (response.ok) return (await response.json()) as T;
  if (response.status === 401) throw no('does not know this token: it changes with every start.');
  const said: unknown = await response.json().catch(() => undefined);
  if (typeof said === 'object' && said !== null && 'message' in said) {
    throw new LoadpathError('bad-option', String(said.message));
  }
  throw no(`answers ${response.status}: is that Studio?`);
}
