/** Readers all over the world, and a few editors. Readers complain when they are shown what was corrected already. */
import type { User } from 'loadpath';
import { articleCount } from './newspaper.ts';

/** By article: the version that an edge may not fall behind any more, as far as this crowd of users knows. */
const corrected = new Map<string, number>();

export async function act(user: User): Promise<void> {
  const wish = user.random.next();
  if (wish < 0.01) return correct(user);
  if (wish < 0.04)
    return void (await user.fetch('/account', { headers: { 'x-reader': `r${user.id}` } }));
  if (wish < 0.24) return void (await user.fetch('/latest'));
  await read(user, String(user.zipf(articleCount)));
}

async function read(user: User, id: string): Promise<void> {
  const least = corrected.get(id) ?? 0;
  const reply = await user.fetch(`/articles/${id}`);
  if (!reply.ok) return;
  const { version } = (await reply.json()) as { readonly version: number };
  if (version < least)
    user.complain(`article ${id} was shown in version ${version}, after ${least}`);
}

async function correct(user: User): Promise<void> {
  const id = String(user.zipf(articleCount));
  const body = JSON.stringify({ text: `This is article ${id}, corrected by ${user.id}.` });
  const reply = await user.fetch(`/articles/${id}`, { method: 'PUT', body });
  if (!reply.ok) return;
  const { version } = (await reply.json()) as { readonly version: number };
  corrected.set(id, Math.max(version, corrected.get(id) ?? 0));
  await read(user, id);
}
