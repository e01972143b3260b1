/** What a live run must say: which answers do not come from where they seem to. */
import type { Plan } from '../host/plan.ts';

/** One line for each that is somebody else's and was given no address. */
export function stubNotes({ nodes }: Plan): readonly string[] {
  const names = nodes
    .filter(({ kind, outside }) => kind === 'external' && outside === undefined)
    .map(({ block }) => block);
  return [...new Set(names)].map(
    (name) => `${name} was answered by its stub, live as well: it has no url`,
  );
}
