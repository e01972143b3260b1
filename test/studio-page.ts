/** A page without a browser: what Studio's page says to its server, for tests. */
import type { DesignView, Refusal, RunEvents } from '../src/studio/protocol.ts';

export interface Told {
  readonly id: number;
  readonly name: string;
  readonly data: unknown;
}

export class Page {
  readonly #origin: string;
  readonly #token: string;

  constructor(url: string) {
    const { origin, searchParams } = new URL(url);
    this.#origin = origin;
    this.#token = searchParams.get('token') ?? '';
  }

  async ask<T>(path: string): Promise<T> {
    return (await this.call('GET', path)).json() as Promise<T>;
  }

  async tell<T>(path: string, body: unknown = {}): Promise<T> {
    return (await this.call('POST', path, body)).json() as Promise<T>;
  }

  async refusal(
    method: string,
    path: string,
    body?: unknown,
  ): Promise<Refusal & { status: number }> {
    const response = await this.call(method, path, body);
    return { status: response.status, ...((await response.json()) as Refusal) };
  }

  call(method: string, path: string, body?: unknown): Promise<Response> {
    return fetch(`${this.#origin}${path}`, {
      method,
      headers: { authorization: `Bearer ${this.#token}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  }

  /** Every event of a stream until it ends, or until `isEnough`. */
  async stream(path: string, isEnough: (told: Told) => boolean = () => false): Promise<Told[]> {
    const abort = new AbortController();
    const response = await fetch(`${this.#origin}${path}?token=${this.#token}`, {
      signal: abort.signal,
    });
    const all: Told[] = [];
    let rest = '';
    const decoder = new TextDecoder();
    try {
      for await (const piece of response.body!) {
        rest += decoder.decode(piece as Uint8Array, { stream: true });
        const parts = rest.split('\n\n');
        rest = parts.pop()!;
        for (const part of parts) {
          const found = /^id: (\d+)\nevent: (\w+)\ndata: (.*)$/.exec(part);
          if (!found) continue;
          const told = { id: Number(found[1]), name: found[2]!, data: JSON.parse(found[3]!) };
          all.push(told);
          if (isEnough(told)) return all;
        }
      }
    } finally {
      abort.abort();
    }
    return all;
  }

  /** Starts a run and waits for its end. */
  async run(request: object): Promise<{ readonly id: string; readonly told: readonly Told[] }> {
    const { id } = await this.tell<{ id: string }>('/api/runs', { seed: 1, ...request });
    return { id, told: await this.stream(`/api/runs/${id}/stream`) };
  }

  /** The design once it is as `fits` wants it. */
  async designThat(fits: (view: DesignView) => boolean): Promise<DesignView> {
    const told = await this.stream(
      '/api/watch',
      ({ name, data }) => name === 'design' && fits(data as DesignView),
    );
    return told.at(-1)!.data as DesignView;
  }
}

export function told<Name extends keyof RunEvents>(
  all: readonly Told[],
  name: Name,
): RunEvents[Name][] {
  return all.filter((one) => one.name === name).map((one) => one.data as RunEvents[Name]);
}
