/** The gateway itself and the proxies that stand for it, each started from the same design, on a free port, in a folder of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type IncomingHttpHeaders, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exportFor } from '../../src/design/export/index.ts';
import { structureOf } from '../../src/design/structure.ts';
import { loadpath, pause, removeFolders, sweepAll, tempFolder } from '../live/process.ts';
import design from './design.ts';
import type { Origins, Seen } from './origins.ts';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface Asked {
  readonly method?: string;
  readonly host?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface Door {
  readonly port: number;
  /** Lets open requests end and goes; resolves when it has gone. */
  readonly stop: () => Promise<void>;
  /** Ends it whatever it does. */
  readonly kill: () => void;
}

export const doors: Readonly<Record<string, (origins: Origins) => Promise<Door>>> = {
  'the gateway itself': gatewayItself,
  nginx: (origins) =>
    proxy(
      'nginx',
      'LOADPATH_NGINX',
      origins,
      (folder) => ['-p', folder, '-c', 'nginx.conf', '-g', 'daemon off;'],
      'SIGQUIT',
    ),
  HAProxy: (origins) =>
    proxy(
      'haproxy',
      'LOADPATH_HAPROXY',
      origins,
      (folder) => ['-db', '-f', join(folder, 'haproxy.cfg')],
      'SIGUSR1',
    ),
};

async function gatewayItself({ ports }: Origins): Promise<Door> {
  const at = (service: string) => `http://127.0.0.1:${ports[service]?.[0] ?? 9}`;
  process.env.LOADPATH_TEST_WEB = at('web');
  process.env.LOADPATH_TEST_API = at('api');
  const running = loadpath([
    'run',
    'test/proxies/design.ts',
    '--port',
    '0',
    '--data',
    tempFolder(),
  ]);
  const url = await running.url();
  return {
    port: Number(new URL(url).port),
    stop: async () => {
      running.signal('SIGTERM');
      await running.ended;
    },
    kill: () => {
      sweepAll();
      removeFolders();
    },
  };
}

async function proxy(
  product: 'nginx' | 'haproxy',
  variable: string,
  { ports }: Origins,
  argsOf: (folder: string) => readonly string[],
  gently: NodeJS.Signals,
): Promise<Door> {
  const program = process.env[variable];
  if (!program) {
    throw new Error(
      `${product} is not on this machine: apt-get install ${product}, or run npm test as root on Debian`,
    );
  }
  const port = await freePort();
  const targets = Object.fromEntries(
    ['web', 'api', 'nobody'].map((service) => [
      service,
      (ports[service] ?? [9]).map((one) => ({ host: '127.0.0.1', port: one })),
    ]),
  );
  const listen = { host: '127.0.0.1', port };
  const { file, text } = exportFor(product, structureOf(design), { listen, targets });
  const folder = mkdtempSync(join(tmpdir(), 'loadpath-proxy-'));
  // Started by root, nginx works as nobody.
  chmodSync(folder, 0o755);
  writeFileSync(join(folder, file), text);
  const child = spawn(program, argsOf(folder), {
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: true,
  });
  let said = '';
  child.stderr?.on('data', (piece) => {
    said += piece;
  });
  const ended = new Promise<void>((resolve) => child.on('close', () => resolve()));
  const kill = (): void => {
    killGroup(child);
    rmSync(folder, { recursive: true, force: true });
  };
  while (!(await accepts(port))) {
    if (child.exitCode !== null) {
      kill();
      throw new Error(`${product} did not start:\n${said}`);
    }
    await pause(20);
  }
  return {
    port,
    kill,
    stop: async () => {
      child.kill(gently);
      await ended;
    },
  };
}

function killGroup({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  } catch {
    // Nothing is left of it.
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

/** One request on a connection of its own. The path goes out as it stands here. */
export function ask({ port }: Door, path: string, asked: Asked = {}): Promise<Answer> {
  const { method = 'GET', host = 'localhost', headers = {}, body } = asked;
  return new Promise((resolve, reject) => {
    const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
    const sent = request(
      {
        port,
        host: '127.0.0.1',
        method,
        path,
        agent: false,
        headers: { host, ...length, ...headers },
      },
      (reply) => {
        const parts: Buffer[] = [];
        reply.on('data', (part: Buffer) => parts.push(part));
        reply.on('end', () => {
          const text = Buffer.concat(parts).toString();
          resolve({ status: reply.statusCode ?? 0, headers: reply.headers, body: text });
        });
        reply.on('error', reject);
      },
    );
    sent.on('error', reject);
    sent.end(body);
  });
}

export function seenIn({ body }: Answer): Seen {
  return JSON.parse(body) as Seen;
}
