/** What groups have committed on one broker, on its disk. The last entry of a partition counts. */
import type { DiskOutcome } from '../../../host/host.ts';
import type { Journal } from '../../../parts/journal.ts';

/** group, partition, offset of the next message. */
export type OffsetEntry = readonly [string, number, number];

/** Superseded entries are cleared away beyond this many. */
const compactAt = 10_000;

export class Offsets {
  readonly #journal: Journal<OffsetEntry>;
  readonly #committed = new Map<string, Map<number, number>>();
  #size = 0;
  #compacting = false;

  constructor(journal: Journal<OffsetEntry>, entries: readonly OffsetEntry[]) {
    this.#journal = journal;
    for (const [group, partition, offset] of entries) this.#keep(group, partition, offset);
  }

  get(group: string, partition: number): number | undefined {
    return this.#committed.get(group)?.get(partition);
  }

  commit(
    group: string,
    partition: number,
    offset: number,
    done: (outcome: DiskOutcome) => void,
  ): void {
    this.#journal.append([group, partition, offset], (outcome) => {
      if (outcome === 'ok') this.#keep(group, partition, offset);
      done(outcome);
      this.#compact();
    });
  }

  /**
   * Brings back what groups committed in `partition` behind its `end`, once its log is known to have lost
   * something: what is stored from now on would else count as read. Who had committed what.
   */
  clamp(
    partition: number,
    end: number,
  ): readonly { readonly group: string; readonly was: number }[] {
    const clamped: { group: string; was: number }[] = [];
    for (const [group, partitions] of this.#committed) {
      const was = partitions.get(partition);
      if (was === undefined || was <= end) continue;
      clamped.push({ group, was });
      this.#keep(group, partition, end);
      this.commit(group, partition, end, () => {});
    }
    return clamped;
  }

  #keep(group: string, partition: number, offset: number): void {
    let partitions = this.#committed.get(group);
    if (!partitions) {
      partitions = new Map();
      this.#committed.set(group, partitions);
    }
    if (!partitions.has(partition)) this.#size++;
    partitions.set(partition, offset);
  }

  #compact(): void {
    const { entryCount } = this.#journal;
    if (this.#compacting || entryCount < compactAt || entryCount < this.#size * 4) return;
    this.#compacting = true;
    const entries: OffsetEntry[] = [];
    for (const [group, partitions] of this.#committed) {
      for (const [partition, offset] of partitions) entries.push([group, partition, offset]);
    }
    this.#journal.replaceWith(entries, () => {
      this.#compacting = false;
    });
  }
}
