/** A request that an instance holds, and how a caller who gives up is believed. */
import type { Address, Micros } from '../../../host/host.ts';
import type { WebRequest } from '../../../host/web.ts';
import { abort } from '../../../parts/web.ts';

export interface Job {
  readonly from: Address;
  readonly request: WebRequest;
  readonly arrivedAt: Micros;
  /** On this node's clock: after it nobody waits for the answer. */
  readonly deadlineAt: Micros | undefined;
  abandoned: boolean;
  /** What the user's handler was given, from then on. */
  served: Parameters<typeof abort>[0] | undefined;
}

/** Nobody waits for the answer any more. */
export function isMoot(job: Job, now: Micros): boolean {
  return job.abandoned || (job.deadlineAt !== undefined && now > job.deadlineAt);
}

/** Work that is under way hears of it through its request's signal; what has not begun is dropped. */
export function giveUp(job: Job): void {
  job.abandoned = true;
  if (job.served) abort(job.served);
}
