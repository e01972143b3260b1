/**
 * Services as HTTP servers of this process, which say what reached them. What the end of a path asks:
 *
 *   /break/<key>    breaks off the first time
 *   /wait/<ms>      answers later
 *   /status/<code>  that status, with a body where one is allowed
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Seen {
  readonly service: string;
  readonly method: string;
  readonly url: string;
  /** Name, value, name, value …, names in lower case. */
  readonly headers: readonly string[];
  readonly bodySize: number;
}

export class Origins {
  /** Requests that arrived, by path. */
  readonly hits = new Map<string, number>();
  readonly ports: Readonly<Record<string, readonly number[]>>;
  readonly #servers: readonly Server[];

  private constructor(
    servers: readonly Server[],
    ports: Origins['ports'],
    hits: Map<string, number>,
  ) {
    this.#servers = servers;
    this.ports = ports;
    this.hits = hits;
  }

  /** Two servers for each service. */
  static async start(services: readonly string[]): Promise<Origins> {
    const hits = new Map<string, number>();
    const servers: Server[] = [];
    const ports: Record<string, number[]> = {};
    for (const service of services) {
      for (let i = 0; i < 2; i++) {
        const server = createServer((request, response) => serve(service, hits, request, response));
        await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
        servers.push(server);
        ports[service] = [...(ports[service] ?? []), (server.address() as AddressInfo).port];
      }
    }
    return new Origins(servers, ports, hits);
  }

  async stop(): Promise<void> {
    await Promise.all(
      this.#servers.map((server) => {
        const closed = new Promise((resolve) => server.close(resolve));
        server.closeAllConnections();
        return closed;
      }),
    );
  }
}

function serve(
  service: string,
  hits: Map<string, number>,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const { method = '', url = '' } = request;
  let bodySize = 0;
  request.on('data', (part: Buffer) => {
    bodySize += part.length;
  });
  request.on('error', () => {});
  request.on('end', () => {
    const hitCount = (hits.get(url) ?? 0) + 1;
    hits.set(url, hitCount);
    const [, what, argument] = /\/(break|wait|status)\/([^/?]+)/.exec(url) ?? [];
    if (what === 'break' && hitCount === 1) return void request.socket.destroy();
    const status = what === 'status' ? Number(argument) : 200;
    const headers = request.rawHeaders.map((one, i) => (i % 2 === 0 ? one.toLowerCase() : one));
    const seen: Seen = { service, method, url, headers, bodySize };
    const answer = (): void => {
      response.writeHead(status, { 'content-type': 'application/json', etag: '"1"' });
      response.end(status === 204 || status === 304 ? undefined : JSON.stringify(seen));
    };
    if (what === 'wait') setTimeout(answer, Number(argument)).unref();
    else answer();
  });
}
