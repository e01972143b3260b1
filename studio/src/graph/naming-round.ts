/**
 * Goes round the things on the canvas and renews their names, a few at a time. It goes on until each has been named
 * after what changed last: a run that stands still has no further frame that would take the others along. And what
 * changes with every frame puts nobody off: the round is under way already.
 */
import type { StructuralView } from 'loadpath/studio';
import type { Figures } from './scene.ts';
import type { Target } from './targets.ts';

/** What names are made of. */
export interface Known {
  readonly design: StructuralView;
  readonly figures: () => Figures;
}

/** Names renewed at a time; all of three hundred have been within three seconds. */
const namesAtATime = 6;
/** Not in the animation frame that has the figures to draw already. */
const delayMs = 50;

export class NamingRound {
  readonly #rename: (target: Target, known: Known) => void;
  #targets: readonly Target[] = [];
  #known: Known | undefined;
  #next = 0;
  /** How many have not been named since what changed last. */
  #left = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(rename: (target: Target, known: Known) => void) {
    this.#rename = rename;
  }

  /** New things get their names at once, known ones in their turn. */
  follow(targets: readonly Target[], known: Known): void {
    const isNew = this.#targets !== targets;
    this.#targets = targets;
    this.#known = known;
    this.#left = targets.length;
    if (isNew) this.#renew(targets.length);
    this.#goOn();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #goOn(): void {
    if (this.#left === 0) return;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#renew(Math.min(namesAtATime, this.#left));
      this.#goOn();
    }, delayMs);
  }

  #renew(count: number): void {
    const targets = this.#targets;
    for (let step = 0; step < count; step++) {
      this.#rename(targets[(this.#next + step) % targets.length]!, this.#known!);
    }
    this.#next = targets.length === 0 ? 0 : (this.#next + count) % targets.length;
    this.#left -= count;
  }
}
