/**
 * A budget for retries: each first attempt earns `ratio` of a retry, each retry costs one. While
 * most calls succeed there is always some left; when everything fails, retries add at most `ratio`
 * to the load instead of multiplying it. `reserve` lets a caller with little traffic retry at all.
 */
export interface RetryBudgetOptions {
  readonly ratio: number;
  /** Retries that may be made before any were earned, and the most that can be saved up. */
  readonly reserve: number;
}

/** Counted in millionths: ten times 0.1 is a little less than one. */
const retry = 1_000_000;

export class RetryBudget {
  readonly #earned: number;
  readonly #brim: number;
  #saved: number;

  constructor(options: RetryBudgetOptions) {
    this.#earned = Math.round(options.ratio * retry);
    this.#brim = options.reserve * retry;
    this.#saved = this.#brim;
  }

  earn(): void {
    this.#saved = Math.min(this.#brim, this.#saved + this.#earned);
  }

  /** Takes one retry out, or says that there is none. */
  spend(): boolean {
    if (this.#saved < retry) return false;
    this.#saved -= retry;
    return true;
  }
}
