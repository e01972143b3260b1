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

export class RetryBudget {
  readonly #ratio: number;
  readonly #reserve: number;
  #saved: number;

  constructor(options: RetryBudgetOptions) {
    this.#ratio = options.ratio;
    this.#reserve = options.reserve;
    this.#saved = options.reserve;
  }

  earn(): void {
    this.#saved = Math.min(this.#reserve, this.#saved + this.#ratio);
  }

  /** Takes one retry out, or says that there is none. */
  spend(): boolean {
    if (this.#saved < 1) return false;
    this.#saved -= 1;
    return true;
  }
}
