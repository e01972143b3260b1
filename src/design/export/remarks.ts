/**
 * What a product cannot do as the design asks, gathered while its configuration is written. A policy
 * that silently disappears is worse than one that was never asked for.
 */

export interface Remark {
  /** As the design names it: `edge.limits.perAddress.algorithm`. */
  readonly option: string;
  /**
   * `approximated`: something like it is there. `missing`: nothing is. `closed`: what it guards is
   * refused, since nothing else would guard it.
   */
  readonly kind: 'approximated' | 'missing' | 'closed';
  /** What the product does in its place. */
  readonly instead: string;
  readonly why: string;
}

export class Remarks {
  readonly #said = new Map<string, Remark>();

  approximated(option: string, instead: string, why: string): void {
    this.#say({ option, kind: 'approximated', instead, why });
  }

  missing(option: string, instead: string, why: string): void {
    this.#say({ option, kind: 'missing', instead, why });
  }

  closed(option: string, instead: string, why: string): void {
    this.#say({ option, kind: 'closed', instead, why });
  }

  /** Each once, what is closed and missing before what is approximated. */
  get all(): readonly Remark[] {
    const weight = { closed: 0, missing: 1, approximated: 2 };
    return [...this.#said.values()].sort(
      (a, b) => weight[a.kind] - weight[b.kind] || (a.option < b.option ? -1 : 1),
    );
  }

  #say(remark: Remark): void {
    this.#said.set(`${remark.option} ${remark.instead}`, remark);
  }
}
