import { useCallback, useEffect, useState } from 'react';

/** What was asked for: not there yet, there, or refused with a reason. */
export type Answer<T> =
  | { readonly state: 'asking' }
  | { readonly state: 'there'; readonly value: T }
  | { readonly state: 'refused'; readonly why: string };

/**
 * Asks whenever `about` changes (`null`: not yet), and shows the last answer only: one that comes
 * late, to a question nobody has any more, is dropped.
 */
export function useAnswer<T>(
  ask: () => Promise<T>,
  about: string | null,
): readonly [answer: Answer<T>, again: () => void] {
  const [answer, setAnswer] = useState<Answer<T>>({ state: 'asking' });
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    if (about === null) return;
    let isWanted = true;
    setAnswer({ state: 'asking' });
    ask().then(
      (value) => {
        if (isWanted) setAnswer({ state: 'there', value });
      },
      (error: unknown) => {
        const why = error instanceof Error ? error.message : String(error);
        if (isWanted) setAnswer({ state: 'refused', why });
      },
    );
    return () => {
      isWanted = false;
    };
  }, [about, turn]);
  return [answer, useCallback(() => setTurn((before) => before + 1), [])];
}
