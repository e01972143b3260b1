/**
 * What a running system tells operators, on a loopback port of its own:
 *
 *   /metrics   Prometheus text        /status   nodes, lives, ports, faults, as JSON
 *   /healthz   200 when every node is up, 503 with the names of those that are not
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { errorCode } from './files.ts';
import { portTaken } from './listening.ts';
import { prometheusText } from './prometheus.ts';
import type { LiveSystem } from './supervisor.ts';

export interface Admin {
  readonly port: number;
  readonly url: string;
  close(): Promise<void>;
}

/** Answers what is none of the above, and decides by itself who may ask: Studio's page. */
export type AdminPage = (request: IncomingMessage, response: ServerResponse) => void;

const own = ['/metrics', '/healthz', '/status'];

/** `port` 0: any free one. Throws `LoadpathError('port-taken')`. */
export async function startAdmin(
  system: LiveSystem,
  { port = 0, page }: { readonly port?: number; readonly page?: AdminPage | undefined } = {},
): Promise<Admin> {
  const server = createServer({ requestTimeout: 10_000 }, (request, response) => {
    const path = (request.url ?? '/').split('?', 1)[0]!;
    if (page && !own.includes(path)) page(request, response);
    else if (request.method !== 'GET' && request.method !== 'HEAD') {
      answer(response, 405, 'text/plain', 'Only GET.\n');
    } else if (path === '/metrics') {
      system.meters().then(
        (snapshot) =>
          answer(
            response,
            200,
            'text/plain; version=0.0.4',
            prometheusText(snapshot, ownFigures(system)),
          ),
        (error: unknown) => answer(response, 500, 'text/plain', `${String(error)}\n`),
      );
    } else if (path === '/healthz') {
      const missing = system.status().filter(({ state }) => state !== 'up' && state !== 'gone');
      const text = missing.map((node) => `${node.id} is ${node.state}\n`).join('');
      answer(response, missing.length === 0 ? 200 : 503, 'text/plain', text || 'up\n');
    } else if (path === '/status') {
      const status = {
        atUs: system.now(),
        nodes: system.status(),
        edges: system.edges,
        faults: system.activeFaults(),
      };
      answer(response, 200, 'application/json', `${JSON.stringify(status)}\n`);
    } else answer(response, 404, 'text/plain', 'Try /metrics, /healthz or /status.\n');
  });
  const bound = await new Promise<number>((resolve, reject) => {
    server.once('error', (error) => {
      reject(errorCode(error) === 'EADDRINUSE' ? portTaken(port) : error);
    });
    // Loopback only: figures and process ids are nobody else's business.
    server.listen({ host: '127.0.0.1', port }, () => {
      const address = server.address();
      resolve(address !== null && typeof address !== 'string' ? address.port : port);
    });
  });
  return {
    port: bound,
    url: `http://127.0.0.1:${bound}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function ownFigures(system: LiveSystem) {
  return system.status().flatMap((node) => {
    const labels = { node: node.id, block: node.block };
    const counter = (name: string, help: string, value: number) => ({
      name,
      type: 'counter' as const,
      help,
      labels,
      value,
    });
    const up = {
      name: 'loadpath_up',
      type: 'gauge' as const,
      help: 'Whether the node is up.',
      labels,
      value: node.state === 'up' ? 1 : 0,
    };
    const figures = [
      counter('loadpath_boots_total', 'Lives of the node in this run.', node.boots),
      counter('loadpath_busy_seconds_total', 'Processor time of the node.', node.busyUs / 1e6),
    ];
    const { transport } = node;
    if (transport) {
      figures.push(
        counter('loadpath_frames_sent_total', 'Messages sent.', transport.framesSent),
        counter('loadpath_frames_received_total', 'Messages received.', transport.framesReceived),
        counter('loadpath_bytes_sent_total', 'Bytes sent to other nodes.', transport.bytesSent),
        counter(
          'loadpath_frames_over_limit_total',
          'Messages given back because the queue to a peer was full.',
          transport.framesOverLimit,
        ),
        counter('loadpath_strangers_total', 'Connections without proof.', transport.strangers),
        counter('loadpath_malformed_total', 'Connections closed as garbled.', transport.malformed),
      );
    }
    return [up, ...figures];
  });
}

function answer(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(body) });
  response.end(body);
}
