/** A forward proxy, live, in one process: what clients say to it over real sockets, and what they hear. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { connect as connectSecurely } from 'node:tls';
import { afterAll, expect, test } from 'vitest';
import { root } from '../checkout.ts';
import { loadpath, nothingLeft, removeFolders, sweepAll, tempFolder } from './process.ts';

afterAll(() => {
  sweepAll();
  removeFolders();
});

/** All that comes, until the other side ends or `until` holds. */
async function heard(socket: Pick<Socket, 'on'>, until: (text: string) => boolean) {
  let text = '';
  await new Promise<void>((resolve) => {
    socket.on('data', (part: Buffer) => {
      text += part.toString('latin1');
      if (until(text)) resolve();
    });
    socket.on('close', () => resolve());
  });
  return text;
}

test('a forward proxy answers absolute addresses, and tunnels to what its sites let in', async () => {
  const design = join(root, 'test/live/designs/egress.ts');
  const running = loadpath(['run', design, '--single', '--port', '0', '--data', tempFolder()]);
  const port = Number(new URL(await running.url()).port);
  const say = async (text: string, until: (heard: string) => boolean) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => {});
    socket.write(text);
    return { socket, text: await heard(socket, until) };
  };
  const dig = (to: string, more = '') =>
    say(`CONNECT ${to} HTTP/1.1\r\nHost: ${to}\r\n${more}\r\n`, (all) => all.includes('\r\n\r\n'));
  const refusal = async (to: string, more = '') => {
    const { socket, text } = await dig(to, more);
    // The answer is all: this connection is no more HTTP, and no tunnel.
    if (!socket.destroyed) await once(socket, 'close');
    return text;
  };

  const isWhole = (all: string) => all.includes(']');
  const read = await say('GET http://news.example/today HTTP/1.1\r\nHost: x\r\n\r\n', isWhole);
  read.socket.destroy();
  expect(read.text).toMatch(/^HTTP\/1\.1 200 /);
  expect(read.text).toContain('["http://news.example/today","1.1 egress"]');

  // Bytes of TLS, to the service itself, more of them than any buffer on the way takes.
  const tunnel = await dig('bank.example:443');
  expect(tunnel.text).toBe('HTTP/1.1 200 Connection established\r\n\r\n');
  const secure = connectSecurely({ socket: tunnel.socket, rejectUnauthorized: false });
  const body = 'money '.repeat(200_000);
  const head = `POST / HTTP/1.1\r\nHost: bank.example\r\nContent-Length: ${body.length}\r\n`;
  secure.write(`${head}Connection: close\r\n\r\n${body}`);
  const echoed = await heard(secure, () => false);
  expect(echoed).toMatch(/^HTTP\/1\.1 200 /);
  expect(echoed.endsWith(`\r\n\r\n${body}`)).toBe(true);

  // What comes in one piece with the request for the tunnel goes through it.
  const inner = 'GET /inner HTTP/1.1\r\nHost: door.example\r\nConnection: close\r\n\r\n';
  const early = await say(
    `CONNECT door.example:8443 HTTP/1.1\r\nHost: door.example:8443\r\n\r\n${inner}`,
    () => false,
  );
  expect(early.text).toMatch(/^HTTP\/1\.1 200 Connection established\r\n\r\nHTTP\/1\.1 200 /);
  expect(early.text).toContain('["http://door.example/inner",null]');

  expect(await refusal('news.example:25')).toMatch(/^HTTP\/1\.1 403 /);
  expect(await refusal('bank.example:443', 'X-Forwarded-For: 10.1.1.1\r\n')).toMatch(
    /^HTTP\/1\.1 403 /,
  );
  expect(await refusal('nowhere.example:443')).toMatch(/^HTTP\/1\.1 502 /);
  expect(await refusal('away.example:443')).toMatch(/^HTTP\/1\.1 503 /);
  expect(await refusal('news.example')).toMatch(/^HTTP\/1\.1 400 /);

  const account = await say(
    'GET http://egress/.well-known/proxy-account HTTP/1.1\r\nHost: x\r\n\r\n',
    (all) => all.includes('}'),
  );
  account.socket.destroy();
  const { bytes } = JSON.parse(account.text.slice(account.text.indexOf('{')));
  // Both ways, with what TLS adds.
  expect(bytes).toBeGreaterThan(2 * body.length);

  // Nothing goes through it, so it holds up nobody who stops the system.
  const quiet = await dig('door.example:443');
  const ended = heard(quiet.socket, () => false);
  running.interrupt();
  expect(await running.ended).toMatchObject({ code: 0 });
  await ended;
  await nothingLeft(running);
});
