/** What an event of the simulated world is: `kind` in the queue, and part of the fingerprint. */

/** `a` a function of the world itself: faults, restarts, hints to nobody in particular. */
export const act = 1;
/** `a` a `SimTimer`. */
export const timer = 2;
/** `a` the message, `b` its `Route`. */
export const deliver = 3;
/** The same, and a second copy follows once the first was delivered. */
export const deliverTwice = 11;
/** That second copy. */
export const deliverAgain = 4;
/** `a` the message, `b` its `Route`: back at the sender, nobody listens. */
export const refused = 5;
/** `a` the id of the node whose connection broke. */
export const disconnected = 6;
/** `a` the finished `Job`. */
export const cpu = 7;
/** `a` a callback of the program. */
export const call = 8;
/** `a` a callback of the program, `b` what to tell it. */
export const disk = 9;
/** `a` the message, `b` the port: from the world's control. */
export const control = 10;
/** `a` the `Segment` of a stream. */
export const segment = 12;

export const kindNames = [
  'nothing',
  'act',
  'timer',
  'deliver',
  'deliver again',
  'refused',
  'disconnected',
  'cpu',
  'call',
  'disk',
  'control',
  'deliver twice',
  'segment',
] as const;
