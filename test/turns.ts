/**
 * What is slow takes turns, so that `npm test` stays under five minutes on two cores: of the files
 * below, and of long tables that are walked row by row, it takes a sixth, another one each day.
 * `npm test -- --all` takes everything, and so does who names files.
 */
export const turnCount = 6;

/** Which sixth it is; undefined when everything is asked for. */
export const turn =
  process.env.LOADPATH_TURN === undefined ? undefined : Number(process.env.LOADPATH_TURN);

/** Those rows of a long table whose turn it is. With `shift` the rows of a table of tables differ. */
export function inTurn<T>(rows: readonly T[], shift = 0): readonly T[] {
  if (turn === undefined) return rows;
  return rows.filter((_, index) => (index + shift) % turnCount === turn);
}

/** Slow files by turn: browsers, and systems of many processes. In each turn there is some of both. */
export const slow: readonly (readonly string[])[] = [
  ['test/studio/time-and-change.test.ts', 'test/mistakes.test.ts'],
  ['test/studio/trouble.test.ts', 'test/cli-what-if.test.ts'],
  ['test/studio/access.test.ts', 'test/live/kills.test.ts'],
  ['test/studio/drawing-board.test.ts', 'test/live/trouble.test.ts', 'test/live/pair.test.ts'],
  [
    'test/studio/live.test.ts',
    'test/studio-browser.test.ts',
    'test/cli-runs.test.ts',
    'test/live/examples.test.ts',
  ],
  [
    'test/studio/hunt.test.ts',
    'test/studio/faults.test.ts',
    'test/studio/keys.test.ts',
    'test/studio-server.test.ts',
    'test/frames.test.ts',
    'test/live/moving.test.ts',
  ],
];

/** Files that wait for their turn. */
export const waiting: readonly string[] =
  turn === undefined ? [] : slow.flatMap((files, index) => (index === turn ? [] : files));
