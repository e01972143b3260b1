/**
 * Which request causes what, where the world cannot see it from outside.
 *
 * While a run is traced, what an event does (messages, timers, work, disk writes) is done in the name
 * of the request that the event belongs to. Three things only the program knows: that a callback it
 * kept belongs to another request than the one that happens to call it, that a request stands in a
 * queue of the program's own, and that nobody waits for a reply any more. It says them here, as
 * `host.causes?.…`; a host without a tracer has none, and nothing may depend on it.
 */
export interface Causes {
  /** A reply to `id` is waited for. `then` goes on for the request that is worked on now, whoever calls it. */
  asks<A>(id: number, then: (answer: A) => void): (answer: A) => void;
  /** `run` is kept for later, and goes on for the request that is worked on now. */
  keeps<R>(run: () => R): () => R;
  /** `run` waits for a slot, and goes on for the request that is worked on now. */
  queued<R>(run: () => R): () => R;
  /** This program got no reply to its `id`, or needs none any more. */
  ended(id: number, why: Unanswered): void;
}

export type Unanswered = 'timeout' | 'refused' | 'reset' | 'abandoned';
