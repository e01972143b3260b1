/** What was, what is, and what was undone. */
export interface History<State> {
  readonly past: readonly State[];
  readonly now: State;
  readonly future: readonly State[];
  /** What the last change was to; the next to the same thing takes its place. */
  readonly label: string | undefined;
}

/** Further back nobody remembers what it was. */
const pastMax = 200;

export function begin<State>(now: State): History<State> {
  return { past: [], now, future: [], label: undefined };
}

/**
 * @param label when given, changes that follow one another with the same label are undone together:
 * a drag is one step, and so is typing a name.
 */
export function change<State>(history: History<State>, now: State, label?: string): History<State> {
  if (now === history.now) return history;
  const isSame = label !== undefined && label === history.label && history.past.length > 0;
  const past = isSame ? history.past : [...history.past, history.now].slice(-pastMax);
  return { past, now, future: [], label };
}

/** The next change is a step of its own, whatever its label. */
export function settle<State>(history: History<State>): History<State> {
  return history.label === undefined ? history : { ...history, label: undefined };
}

export function undo<State>(history: History<State>): History<State> {
  const before = history.past.at(-1);
  if (before === undefined) return history;
  return {
    past: history.past.slice(0, -1),
    now: before,
    future: [history.now, ...history.future],
    label: undefined,
  };
}

export function redo<State>(history: History<State>): History<State> {
  const [next, ...future] = history.future;
  if (next === undefined) return history;
  return { past: [...history.past, history.now], now: next, future, label: undefined };
}
