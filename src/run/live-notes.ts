/** What the report of a live run must say besides its figures. */
import type { Plan } from '../host/plan.ts';
import type { NodeStatus } from '../live/system.ts';

/** Answers that do not come from where they seem to: one line for each that is somebody else's and was given no address. */
export function stubNotes({ nodes }: Plan): readonly string[] {
  const names = nodes
    .filter(({ kind, outside }) => kind === 'external' && outside === undefined)
    .map(({ block }) => block);
  return [...new Set(names)].map(
    (name) => `${name} was answered by its stub, live as well: it has no url`,
  );
}

/** A node tells what it counts once a second; several of these missed are no chance. */
const silentMaxMs = 5_000;

/** Nodes whose thread was at something else for long: whoever waits for them sees timeouts, and nothing else tells why. */
export function silenceNotes(
  nodes: readonly Pick<NodeStatus, 'id' | 'silentMs'>[],
): readonly string[] {
  return nodes
    .filter(({ silentMs }) => silentMs > silentMaxMs)
    .map(
      ({ id, silentMs }) =>
        `${id} did not answer its supervisor for ${Math.round(silentMs / 1_000)} s: an endless loop, or work that never lets anything else run`,
    );
}
