/** What a run is, among others: what was asked of it besides the design. */
import type { RunRequest } from 'loadpath/studio';
import { durationText, plural, rateText } from '../parts/format.ts';

export function runTitle(request: RunRequest | null): string {
  if (!request) return 'the running system';
  const words = [`seed ${request.seed}`];
  if ((request.seeds ?? 1) > 1) words[0] = `${request.seeds} seeds from ${request.seed}`;
  if (request.forUs !== undefined) words.push(durationText(request.forUs));
  if (request.ratePerSec !== undefined) words.push(rateText(request.ratePerSec));
  for (const [key, value] of Object.entries(request.set)) words.push(`${key} = ${value}`);
  words.push(...faultWords(request));
  return words.join(' · ');
}

/** Two can be named, of more only the number is of use in one line. */
function faultWords({ faults, ownFaults }: RunRequest): string[] {
  const own = ownFaults ? [] : ['without the design’s faults'];
  return faults.length > 2 ? [plural(faults.length, 'fault'), ...own] : [...faults, ...own];
}
