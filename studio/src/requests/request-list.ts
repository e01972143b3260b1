/** Which of the sampled requests are looked at, and in which order. */
import type { RequestRow } from 'loadpath/studio';

export type RequestOrder = 'slowest' | 'failed' | 'first';

export interface RequestFilter {
  readonly order: RequestOrder;
  readonly search: string;
}

export function shownRequests(
  rows: readonly RequestRow[],
  { order, search }: RequestFilter,
): RequestRow[] {
  const wanted = search.trim().toLowerCase();
  const found = rows.filter(
    (row) =>
      (order !== 'failed' || isFailed(row)) &&
      (wanted === '' || `${row.what} ${row.outcome} #${row.index}`.toLowerCase().includes(wanted)),
  );
  // Without an end it has taken longest of all.
  const taken = (row: RequestRow) => row.latencyUs ?? Number.POSITIVE_INFINITY;
  return order === 'first'
    ? found.sort((a, b) => a.index - b.index)
    : found.sort((a, b) => taken(b) - taken(a) || a.index - b.index);
}

export function isFailed(row: RequestRow): boolean {
  return row.outcome !== 'ok';
}
