/**
 * The consumer of clicks: how often each link was followed, from where, and the most popular ones.
 * A partition is read by one member at a time and holds every click of its links, so that read,
 * add, write needs no lock; the offset in each count makes a redelivered batch harmless.
 */
import type { Batch, Env } from 'loadpath';
import type { blocks, Click, Count } from './blocks.ts';

const topLength = 20;

export async function countClicks(
  batch: Batch<Click>,
  env: Pick<Env<typeof blocks>, 'counts'>,
): Promise<void> {
  const byCode = new Map<string, { click: Click; offset: number }[]>();
  for (const { value, offset } of batch) {
    byCode.set(value.code, [...(byCode.get(value.code) ?? []), { click: value, offset }]);
  }
  const counted = await Promise.all(
    [...byCode].map(async ([code, clicks]) => {
      const key = `code ${code}`;
      const before = await env.counts.get(key);
      const after = added(before, clicks);
      if (after !== before) await env.counts.put(key, after);
      return { code, clicks: after.clicks };
    }),
  );
  await updateTop(`top ${batch[0]!.partition}`, counted, env);
}

function added(
  before: Count | undefined,
  clicks: readonly { readonly click: Click; readonly offset: number }[],
): Count {
  let { clicks: sum, offset: reached } = before ?? { clicks: 0, offset: -1 };
  const countries = { ...before?.countries };
  for (const { click, offset } of clicks) {
    if (offset <= reached) continue;
    sum++;
    countries[click.country] = (countries[click.country] ?? 0) + 1;
    reached = offset;
  }
  return before?.offset === reached ? before : { clicks: sum, countries, offset: reached };
}

async function updateTop(
  key: string,
  counted: readonly { readonly code: string; readonly clicks: number }[],
  env: Pick<Env<typeof blocks>, 'counts'>,
): Promise<void> {
  const before = await env.counts.get(key);
  const clicksOf = new Map((before?.top ?? []).map(({ code, clicks }) => [code, clicks]));
  for (const { code, clicks } of counted) clicksOf.set(code, clicks);
  const top = [...clicksOf]
    .map(([code, clicks]) => ({ code, clicks }))
    .sort((a, b) => b.clicks - a.clicks || (a.code < b.code ? -1 : 1))
    .slice(0, topLength);
  await env.counts.put(key, { clicks: 0, countries: {}, offset: -1, top });
}
