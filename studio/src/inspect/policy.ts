/** The effective policy of a path, after all defaults, in sentences. */
import type { CallView } from 'loadpath/studio';
import { durationText, shareText } from '../parts/format.ts';

export function policyInWords(call: CallView): string[] {
  const { deadlineUs, timeoutUs, retry, stages = [] } = call;
  const sentences: string[] = [];
  if (call.consumed)
    sentences.push(`${call.from} consumes from ${call.to}: what flows comes from there.`);
  if (deadlineUs !== undefined) {
    sentences.push(
      `A call may take ${durationText(deadlineUs)} in all${retry && retry.attempts > 1 ? ', retries included' : ''}.`,
    );
  }
  if (timeoutUs !== undefined)
    sentences.push(`One attempt is given up after ${durationText(timeoutUs)}.`);
  if (retry) sentences.push(...retryInWords(retry));
  for (const stage of stages) sentences.push(`${stage.charAt(0).toUpperCase()}${stage.slice(1)}.`);
  if (sentences.length === 0) sentences.push('No timeout and no retry stand on this path.');
  return sentences;
}

function retryInWords(retry: NonNullable<CallView['retry']>): string[] {
  if (retry.attempts <= 1) return ['It is tried once: what fails, fails.'];
  const methods = retry.methods ? `, ${listed(retry.methods)} only` : '';
  const times = retry.attempts === 2 ? 'once more' : `up to ${retry.attempts - 1} times more`;
  const budget =
    retry.budgetRatio === undefined
      ? 'No budget bounds the retries: in an overload they multiply it.'
      : `Retries may add ${shareText(retry.budgetRatio)} to the calls at most.`;
  return [`What fails is tried ${times}${methods}.`, budget];
}

function listed(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;
}
