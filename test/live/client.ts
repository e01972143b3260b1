/**
 * A client from outside that remembers what was acknowledged to it, and asks afterwards whether it
 * is still there. It knows nothing of the system but its address.
 */
import { pause } from './process.ts';

const consumerTriesMax = 150;

export class Client {
  readonly #codes = new Map<string, string>();
  readonly #clicks = new Map<string, string[]>();
  readonly #claims = new Map<string, string>();
  /** Codes acknowledged twice. */
  readonly reused: string[] = [];
  failures = 0;
  #url: string;
  #sending = false;
  #loops: Promise<void>[] = [];
  #next = 0;

  constructor(url: string) {
    this.#url = url;
  }

  get acknowledged(): number {
    return this.#codes.size;
  }

  /** The system came up again, maybe elsewhere. */
  moveTo(url: string): void {
    this.#url = url;
  }

  start(parallel = 4): void {
    this.#sending = true;
    this.#loops = Array.from({ length: parallel }, () => this.#loop());
  }

  async stop(): Promise<void> {
    this.#sending = false;
    await Promise.all(this.#loops);
  }

  async acknowledge(count: number): Promise<void> {
    const until = this.#codes.size + count;
    while (this.#codes.size < until) await pause(20);
  }

  async #loop(): Promise<void> {
    while (this.#sending) {
      try {
        await this.#visit(this.#next++);
      } catch {
        // Refused, reset or late: nothing was acknowledged.
        this.failures++;
        await pause(50);
      }
    }
  }

  async #visit(turn: number): Promise<void> {
    const name = `n${turn}`;
    const posted = await this.ask('POST', `/links/${name}`);
    if (posted.status !== 201) throw new Error('not acknowledged');
    const { code } = (await posted.json()) as { readonly code: string };
    if (this.#codes.has(code)) this.reused.push(code);
    this.#codes.set(code, name);
    if (turn % 3 === 0) {
      const topic = `t${turn % 2}`;
      const clicked = await this.ask('POST', `/clicks/${topic}?id=${name}`);
      if (clicked.status !== 204) throw new Error('not acknowledged');
      this.#clicks.set(topic, [...(this.#clicks.get(topic) ?? []), name]);
    }
    if (turn % 5 === 0) {
      const claimed = await this.ask('GET', `/claims/name-${name}?owner=${name}`);
      const answer = claimed.status === 200 ? ((await claimed.json()) as object) : {};
      if ('claimed' in answer && answer.claimed === true) this.#claims.set(`name-${name}`, name);
    }
  }

  ask(method: string, path: string): Promise<Response> {
    return fetch(this.#url + path, { method, signal: AbortSignal.timeout(10_000) });
  }

  /** Until it is answered well: the system may still be recovering. */
  async #insist(path: string): Promise<Response> {
    for (;;) {
      const reply = await this.ask('GET', path).catch(() => undefined);
      if (reply && reply.status < 500) return reply;
      await pause(100);
    }
  }

  /** Everything that was acknowledged and is not there. */
  async lost(): Promise<readonly string[]> {
    const lost: string[] = [];
    for (const [code, name] of this.#codes) {
      const reply = await this.#insist(`/links/${code}`);
      const link = reply.status === 200 ? ((await reply.json()) as { readonly url: string }) : null;
      if (link?.url !== name) lost.push(`link ${code} of ${name}: ${reply.status} ${link?.url}`);
    }
    for (const [name, owner] of this.#claims) {
      const stolen = (await (await this.#insist(`/claims/${name}?owner=thief`)).json()) as object;
      const kept = (await (await this.#insist(`/claims/${name}?owner=${owner}`)).json()) as object;
      if (!('claimed' in stolen) || stolen.claimed !== false) lost.push(`claim ${name} was stolen`);
      if (!('claimed' in kept) || kept.claimed !== true) lost.push(`claim ${name} was lost`);
    }
    // Consumers come to it in their own time.
    for (const [topic, expected] of this.#clicks) {
      let missing: readonly string[] = expected;
      for (let tries = 0; missing.length > 0 && tries < consumerTriesMax; tries++) {
        if (tries > 0) await pause(200);
        const seen = (await (await this.#insist(`/clicks/${topic}`)).json()) as readonly string[];
        if (new Set(seen).size !== seen.length) lost.push(`clicks of ${topic} were counted twice`);
        missing = expected.filter((id) => !seen.includes(id));
      }
      if (missing.length > 0) lost.push(`clicks of ${topic} never counted: ${missing.join(', ')}`);
    }
    return lost;
  }
}
