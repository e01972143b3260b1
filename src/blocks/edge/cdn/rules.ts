/** Which rule holds for an address: the one with the longest path that covers it. */
import { splitUrl } from '../../../parts/http-cache/key.ts';
import type { CdnConfig, PathRule } from './config.ts';

const none: PathRule = {};

export class Rules {
  readonly #rules: CdnConfig['rules'];

  constructor(rules: CdnConfig['rules']) {
    this.#rules = [...rules].sort((a, b) => b.path.length - a.path.length);
  }

  of(url: string): PathRule {
    if (this.#rules.length === 0) return none;
    const { path } = splitUrl(url);
    return this.#rules.find((one) => path.startsWith(one.path))?.rule ?? none;
  }
}
