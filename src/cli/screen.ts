/**
 * What a command says while it works, on standard error, so that standard output holds the report
 * alone. On a terminal one status line is rewritten in place; elsewhere it is printed every few
 * seconds, as a log would want it.
 */
import { cut, type Style, styleFor } from './style.ts';

const rewriteEveryMs = 100;
const printEveryMs = 5_000;

export interface Terminal {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

export class Screen {
  readonly #out: Terminal;
  readonly #clock: () => number;
  readonly style: Style;
  #status = '';
  #shownAt = Number.NEGATIVE_INFINITY;

  constructor(
    out: Terminal = process.stderr,
    env: Readonly<Record<string, string | undefined>> = process.env,
    clock: () => number = () => performance.now(),
  ) {
    this.#out = out;
    this.#clock = clock;
    this.style = styleFor(out, env);
  }

  /** A line that stays. */
  line(text: string): void {
    this.#erase();
    this.#out.write(`${text}\n`);
    this.#draw();
  }

  /** The line that says how far things are. Called as often as one likes. */
  status(text: string): void {
    this.#status = text;
    const now = this.#clock();
    const everyMs = this.#out.isTTY ? rewriteEveryMs : printEveryMs;
    // The first line off a terminal waits too: short runs then print none.
    if (this.#shownAt === Number.NEGATIVE_INFINITY && !this.#out.isTTY) this.#shownAt = now;
    if (now - this.#shownAt < everyMs) return;
    this.#shownAt = now;
    if (this.#out.isTTY) this.#draw();
    else this.#out.write(`${text}\n`);
  }

  /** Takes the status line away, before a report or the end. */
  clear(): void {
    this.#erase();
    this.#status = '';
    this.#shownAt = Number.NEGATIVE_INFINITY;
  }

  #draw(): void {
    if (!this.#out.isTTY || this.#status === '') return;
    this.#out.write(`\r\u001b[2K${cut(this.#status, (this.#out.columns ?? 80) - 1)}`);
  }

  #erase(): void {
    if (this.#out.isTTY && this.#status !== '') this.#out.write('\r\u001b[2K');
  }
}
