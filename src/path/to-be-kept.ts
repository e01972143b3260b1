/**
 * Replies for a cache. One whose body flows is there once, and can be neither kept nor shared; where it says how
 * long it is, may be kept, and comes soon, its body is read to the end first, and it is a reply like any other.
 */
import type { Host, Micros } from '../host/host.ts';
import type { Inlet } from '../host/stream.ts';
import type { WebReply } from '../host/web.ts';
import {
  type CacheReply,
  type HttpCacheConfig,
  type HttpCacheRule,
  judge,
} from '../parts/http-cache.ts';
import { readWhole } from '../parts/peek.ts';
import { headerOf } from './headers.ts';
import type { Asked } from './ongoing.ts';

/** Longer than a body on its way through a data centre takes, and shorter than anybody waits who sees nothing. */
const patienceUs: Micros = 1_000_000;

/** Calls `done` with the reply, and its body where that flows on. What it returns gives it up. */
export function toBeKept(
  host: Host,
  asked: Pick<Asked, 'method' | 'url' | 'headers'>,
  { inlet, ...reply }: WebReply,
  { config, rule }: { readonly config: HttpCacheConfig; readonly rule: HttpCacheRule },
  done: (reply: CacheReply, flow: Inlet | undefined) => void,
): () => void {
  const nothing = (): void => {};
  if (!inlet) {
    done(reply, undefined);
    return nothing;
  }
  const length = Number(headerOf(reply.headers, 'content-length') ?? Number.NaN);
  const mayKeep = (): boolean => {
    if (rule.bypass || reply.status !== 200) return false;
    const came = { delayUs: 0, wall: host.wall() };
    return judge(asked, reply, came, { shared: true, ...config }, rule).keep;
  };
  if (!(length <= config.objectMaxBytes) || !mayKeep()) {
    done(reply, inlet);
    return nothing;
  }
  const patience = (fire: () => void) => host.after(patienceUs, fire);
  return readWhole(inlet, config.objectMaxBytes, patience, (whole, flow) => {
    if (whole) done({ ...reply, body: whole }, undefined);
    else done(reply, flow);
  });
}
