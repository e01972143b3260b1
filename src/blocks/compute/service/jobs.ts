/**
 * The requests that an instance holds, so that a caller who gives up can be believed: work not yet
 * begun is dropped. Ids are unique to their caller only, hence two levels.
 */
import type { Address, Micros, NodeId } from '../../../host/host.ts';
import type { WebRequest } from '../../../host/web.ts';
import { IdMap } from '../../../parts/id-map.ts';

export interface Job {
  readonly from: Address;
  readonly request: WebRequest;
  readonly arrivedAt: Micros;
  /** On this node's clock: after it nobody waits for the answer. */
  readonly deadlineAt: Micros | undefined;
  abandoned: boolean;
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
    if (job) job.abandoned = true;
  }

  /** Everything a caller that is gone still waited for. */
  abandonAll(node: NodeId): void {
    const held = this.#byCaller.get(node);
    for (const id of held?.ids() ?? []) held!.get(id)!.abandoned = true;
  }
}
