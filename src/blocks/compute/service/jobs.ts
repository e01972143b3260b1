/**
 * The requests that an instance holds, so that a caller who gives up can be believed: work not yet
 * begun is dropped, and work that is under way hears of it through its request's signal. Ids are
 * unique to their caller only, hence two levels.
 */
import type { Address, Micros, NodeId } from '../../../host/host.ts';
import type { WebRequest } from '../../../host/web.ts';
import { IdMap } from '../../../parts/id-map.ts';
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

export class Jobs {
  readonly #byCaller = new Map<NodeId, IdMap<Job>>();
  count = 0;

  /** False when this very request is held already: a message that came twice. */
  add(job: Job): boolean {
    const { node } = job.from;
    let held = this.#byCaller.get(node);
    if (!held) {
      held = new IdMap();
      this.#byCaller.set(node, held);
    }
    if (held.has(job.request.id)) return false;
    held.set(job.request.id, job);
    this.count++;
    return true;
  }

  remove(job: Job): void {
    if (this.#byCaller.get(job.from.node)?.take(job.request.id)) this.count--;
  }

  abandon(from: Address, id: number): void {
    const job = this.#byCaller.get(from.node)?.get(id);
    if (job) giveUp(job);
  }

  /** Everything a caller that is gone still waited for. */
  abandonAll(node: NodeId): void {
    const held = this.#byCaller.get(node);
    for (const id of held?.ids() ?? []) giveUp(held!.get(id)!);
  }
}

function giveUp(job: Job): void {
  job.abandoned = true;
  if (job.served) abort(job.served);
}
