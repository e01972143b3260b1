/** Which of the sampled requests are looked at, and in which order. */
import type { RequestRow, RequestSample } from 'loadpath/studio';
import { plural, wholeText } from '../parts/format.ts';

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

/** Which requests there are to look at: a recorder that kept all would need the memory of all. */
export function sampleText(sample: RequestSample): string {
  const { slowest, answeredCount, failed, failedCount } = sample;
  if (isWhole(sample)) return `all ${plural(answeredCount + failedCount, 'request')}`;
  const answeredText =
    slowest.length === answeredCount
      ? `the ${wholeText(answeredCount)} answered`
      : `the slowest ${slowest.length} of ${wholeText(answeredCount)} answered`;
  const failedText =
    failed.length === failedCount
      ? `the ${wholeText(failedCount)} failed`
      : `the first ${failed.length} of ${wholeText(failedCount)} failed`;
  return [
    ...(answeredCount > 0 ? [answeredText] : []),
    ...(failedCount > 0 ? [failedText] : []),
  ].join(' and ');
}

/** How many are shown of which: a search does not look at others. */
export function countText(shownCount: number, sample: RequestSample): string {
  const of = sampleText(sample);
  const isEach = shownCount === sample.slowest.length + sample.failed.length;
  return isEach ? of : `${wholeText(shownCount)} of ${of}`;
}

/** Why nothing is shown. */
export function nothingText(sample: RequestSample, { order, search }: RequestFilter): string {
  if (sample.answeredCount + sample.failedCount === 0) return 'No request was sent in this run.';
  if (order === 'failed' && search.trim() === '') {
    return sample.failedCount === 0 ? 'No request failed.' : 'None of these failed.';
  }
  if (isWhole(sample)) return 'No request is like that.';
  return `None is like that of ${sampleText(sample)}. Others are not kept.`;
}

function isWhole({ slowest, answeredCount, failed, failedCount }: RequestSample): boolean {
  return slowest.length === answeredCount && failed.length === failedCount;
}
