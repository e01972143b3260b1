/** What users do: nine in ten follow a link, mostly a popular one; the others post a new one. */
import { Unavailable, type User } from 'loadpath';
import { realUrls } from './urls.ts';

interface Posted {
  readonly code: string;
  readonly url: string;
}

const preloaded = 200;
const triesMax = 6;

/** Links that are there before the first visitor comes, the most popular first. */
export async function prepare(user: User): Promise<Posted[]> {
  const posted: Posted[] = [];
  for (const url of realUrls.slice(0, preloaded)) {
    const reply = await insist(user, '/links', post({ url }));
    if (reply.status !== 201) throw new Error(`posting ${url} gave ${reply.status}`);
    posted.push({ code: await codeIn(reply), url: new URL(url).href });
  }
  // Followed once each: the first visitors are not to pay for cold caches and code.
  for (const { code } of posted) await insist(user, `/${code}`, {});
  return posted;
}

/** A machine that is still starting a dozen processes may be late: one slow answer is no reason to give up. */
async function insist(user: User, path: string, init: RequestInit): Promise<Response> {
  for (let tries = 1; ; tries++) {
    const reply = await user.fetch(path, init).catch((failure: unknown) => {
      if (tries === triesMax || !(failure instanceof Unavailable)) throw failure;
      return undefined;
    });
    if (reply && (reply.status < 500 || tries === triesMax)) return reply;
    await user.sleep(200 * tries);
  }
}

export async function act(user: User, posted: Posted[]): Promise<void> {
  if (user.random.chance(0.9)) await follow(user, posted);
  else await postNew(user, posted);
}

async function follow(user: User, posted: readonly Posted[]): Promise<void> {
  const link = posted[user.zipf(posted.length)]!;
  const reply = await user.fetch(`/${link.code}`);
  if (reply.status === 404) user.complain('a link that was posted is not found');
  if (reply.status === 302 && reply.headers.get('location') !== link.url) {
    user.complain('a link leads somewhere else');
  }
}

async function postNew(user: User, posted: Posted[]): Promise<void> {
  const url = user.random.pick(realUrls);
  const wish = user.random.next();
  const extra =
    wish < 0.1
      ? { alias: `fav-${user.id}-${user.random.below(1_000_000)}` }
      : wish < 0.2
        ? { expiresIn: user.random.between(1, 3_600) }
        : {};
  const reply = await user.fetch('/links', post({ url, ...extra }));
  // A bounded list of favourites, so that popularity stays with the links that were there first.
  if (reply.status === 201 && !('expiresIn' in extra) && posted.length < 2_000) {
    posted.push({ code: await codeIn(reply), url: new URL(url).href });
  }
}

async function codeIn(reply: Response): Promise<string> {
  const { code } = (await reply.json()) as { readonly code: string };
  return code;
}

function post(body: object): RequestInit {
  return {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  };
}
