/**
 * What a running simulation says to the thread that asked for it: in portions, since a message costs
 * more than what is in it, and never so far ahead that unread messages pile up.
 */
import type { Frame } from '../frames.ts';
import type { Reins } from './reins.ts';
import type { Answer } from './tasks.ts';

const linesMax = 1_000;
const framesMax = 16;
/** Real time after which frames go out, however few they are: whoever watches a slow run sees it move. */
const frameWaitMs = 30;
/** Taken before the platform is patched: a node's console speaks through here, on virtual time. */
const clock = performance.now.bind(performance);

export class Speaker {
  readonly #post: (answer: Answer) => void;
  readonly #reins: Reins;
  #lines: string[] = [];
  #frames: Frame[] = [];
  #postedAtMs = Number.NEGATIVE_INFINITY;
  #saidCount = 0;

  constructor(post: (answer: Answer) => void, reins: Reins) {
    this.#post = post;
    this.#reins = reins;
  }

  /** What was kept for a portion goes first, so that everything is heard in its order. */
  say(answer: Answer): void {
    this.flush();
    this.#send(answer);
  }

  trace(line: string): void {
    this.#lines.push(line);
    if (this.#lines.length >= linesMax) this.flush();
  }

  frame(frame: Frame): void {
    this.#frames.push(frame);
    const isTime = clock() - this.#postedAtMs >= frameWaitMs;
    if (isTime || this.#frames.length >= framesMax) this.flush();
  }

  flush(): void {
    if (this.#lines.length > 0) this.#send({ type: 'trace', lines: this.#lines });
    if (this.#frames.length > 0) {
      this.#send({ type: 'frames', frames: this.#frames });
      this.#postedAtMs = clock();
    }
    this.#lines = [];
    this.#frames = [];
  }

  /** Stands still while it is to; true when the run is to end. */
  hold(): boolean {
    // Before a pause, so that what was done is seen.
    if (this.#reins.mustWait(this.#saidCount)) this.flush();
    this.#reins.hold(this.#saidCount);
    return this.#reins.isStopped;
  }

  #send(answer: Answer): void {
    this.#saidCount++;
    this.#post(answer);
  }
}
