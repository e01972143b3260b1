/** What a forward proxy promises to those who tunnel through it, and to who runs it. */
import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { visit } from '../../../../test/visitor.ts';
import type { Handlers, Host } from '../../../host/host.ts';
import type { Chunk, Stream, StreamClose } from '../../../host/stream.ts';
import type { WebRequest } from '../../../host/web.ts';
import { service } from '../../compute/service/index.ts';
import { type ForwardProxyOptions, forwardProxy } from './index.ts';

/** A site that opens every tunnel and sends back what comes, as long as it may. */
class Echo {
  readonly asked: WebRequest[] = [];
  takes = true;
  answers = true;
  readonly stand = (host: Host): Handlers => ({
    message() {},
    stream: (from, opening, stream) => {
      this.asked.push(opening as WebRequest);
      if (this.takes) {
        const { id } = opening as WebRequest;
        host.send(from, { type: 'reply', id, status: 200, headers: ['x-inner', '1'], body: null });
      }
      return {
        data: (chunk) => {
          if (this.answers) stream.write(chunk);
          stream.took(chunk);
        },
        ended: () => stream.end(),
        closed() {},
      };
    },
  });
}

interface Dug {
  readonly id: number;
  readonly stream: Stream;
  readonly got: Chunk[];
  reads: boolean;
  how: StreamClose | 'ended' | undefined;
}

function tunnelled(options: Partial<ForwardProxyOptions> = {}) {
  const news = service('news', { instances: 1 });
  const echo = new Echo();
  const proxy = forwardProxy('egress', { sites: { 'news.example': news, '*': news }, ...options });
  const at = visit(proxy, { instead: { 'news/0': echo.stand } });
  const dig = async (to: string, headers: readonly string[] = [], ip = '10.0.0.7') => {
    const got: Chunk[] = [];
    const dug = { got, reads: true, how: undefined } as unknown as {
      -readonly [K in keyof Dug]: Dug[K];
    };
    Object.assign(
      dug,
      at.open(
        { method: 'CONNECT', url: `http://${to}/`, headers, ip },
        {
          data(chunk) {
            got.push(chunk);
            if (dug.reads) dug.stream.took(chunk);
          },
          ended() {
            dug.how ??= 'ended';
          },
          closed(how) {
            dug.how ??= how;
          },
        },
      ),
    );
    await at.run(20_000);
    return dug as Dug;
  };
  const statusOf = async (to: string, headers?: readonly string[], ip?: string) =>
    at.status((await dig(to, headers, ip)).id);
  return { at, echo, dig, statusOf };
}

const bytesOf = (chunks: readonly Chunk[]) => chunks.flatMap((chunk) => [...chunk]);

test('bytes go through as they are, both ways, and are counted to who asked', async () => {
  const { at, echo, dig } = tunnelled();
  const tunnel = await dig('news.example:443', ['x-forwarded-for', '192.168.1.4']);
  // Nothing that the site says with its 200 is for a client that now hears bytes.
  expect(at.reply(tunnel.id)).toMatchObject({ status: 200, headers: [], body: null });
  expect(echo.asked[0]).toMatchObject({ method: 'CONNECT', ip: '' });
  expect(JSON.stringify(echo.asked)).not.toMatch(/192\.168|10\.0\.0/);
  const sent = [Uint8Array.of(22, 3, 1, 0, 255), Uint8Array.of(10, 13, 0)];
  for (const chunk of sent) tunnel.stream.write(chunk);
  await at.run(20_000);
  expect(bytesOf(tunnel.got)).toEqual(bytesOf(sent));
  tunnel.stream.end();
  await at.run(20_000);
  expect(tunnel.how).toBe('ended');
  const account = at.send({ url: 'http://egress/.well-known/proxy-account', ip: '10.0.0.7' });
  await at.run(20_000);
  expect(JSON.parse(await at.text(account))).toMatchObject({ requests: 2, bytes: 16 });
  expect(at.counted('egress', 'tunnelBytes')).toBe(16);
});

test('who does not read is not sent more than a window, however much there is', async () => {
  const { at, dig } = tunnelled();
  const tunnel = await dig('news.example:443');
  tunnel.reads = false;
  for (let i = 0; i < 200; i++) tunnel.stream.write(new Uint8Array(10_000).fill(i));
  await at.run(1_000_000);
  const heldBack = bytesOf(tunnel.got).length;
  expect(heldBack).toBeLessThan(300_000);
  tunnel.reads = true;
  for (const chunk of [...tunnel.got]) tunnel.stream.took(chunk);
  await at.run(1_000_000);
  expect(tunnel.got.map(([first]) => first)).toEqual(Array.from({ length: 200 }, (_, i) => i));
});

describe('before there is a tunnel', () => {
  test('its host, its port, its caller and the limit are looked at, as of every request', async () => {
    const sha256 = createHash('sha256').update('ann:a').digest('hex');
    const ann = ['proxy-authorization', `Basic ${Buffer.from('ann:a').toString('base64')}`];
    const { at, echo, statusOf } = tunnelled({
      users: { ann: sha256 },
      rules: [
        { do: 'block', hosts: ['*.ads.example'] },
        { do: 'block', from: ['10.1.0.0/16'] },
      ],
      tunnels: { ports: [443, 8443] },
      limit: { rate: '1/min', burst: 3 },
    });
    expect(await statusOf('news.example:443')).toBe(407);
    expect(await statusOf('x.ads.example:443', ann)).toBe(403);
    expect(await statusOf('news.example:443', ann, '10.1.2.3')).toBe(403);
    for (const port of [22, 25, 80, 444]) {
      expect(await statusOf(`news.example:${port}`, ann), String(port)).toBe(403);
    }
    expect(echo.asked).toEqual([]);
    expect(await statusOf('127.0.0.1:443', ann)).toBe(403);
    expect(await statusOf('news.example:443', ann)).toBe(200);
    expect(await statusOf('news.example:8443', ann)).toBe(200);
    expect(await statusOf('news.example:443', ann)).toBe(429);
    expect(at.counted('egress', 'blocked')).toBe(7);
    expect(JSON.stringify(echo.asked)).not.toContain('Basic');
  });

  test('what is allowed by path or type alone is not allowed, since neither can be seen', async () => {
    const allow = async (rules: ForwardProxyOptions['rules']) =>
      tunnelled({ otherwise: 'block', rules: rules! }).statusOf('news.example:443');
    expect(await allow([{ do: 'allow', paths: ['/public/*'] }])).toBe(403);
    expect(await allow([{ do: 'allow', types: ['text/*'] }])).toBe(403);
    expect(await allow([{ do: 'allow', hosts: ['news.example'] }])).toBe(200);
    const block = async (rules: ForwardProxyOptions['rules']) =>
      tunnelled({ rules: rules! }).statusOf('news.example:443');
    expect(await block([{ do: 'block', paths: ['/private/*'] }])).toBe(200);
  });

  test('refusals say why: none here, no such site, nobody there, none in time, too many', async () => {
    expect(await tunnelled({ tunnels: { ports: [] } }).statusOf('news.example:443')).toBe(405);
    const news = service('news', { instances: 1 });
    const few = tunnelled({ sites: { 'news.example': news }, tunnels: { max: 1 } });
    expect(await few.statusOf('else.example:443')).toBe(502);
    expect(await few.statusOf('news.example:443')).toBe(200);
    expect(await few.statusOf('news.example:443')).toBe(503);
    const slow = tunnelled({ policy: { timeout: '10ms' } });
    slow.echo.takes = false;
    expect(await slow.statusOf('news.example:443')).toBe(504);
    // Nobody outside a live world speaks TLS: a simulated service takes no connections of its own.
    const at = visit(forwardProxy('egress', { sites: { 'news.example': news } }));
    const { id } = at.open(
      { method: 'CONNECT', url: 'http://news.example:443/' },
      { data() {}, closed() {} },
    );
    await at.run(100_000);
    expect(at.status(id)).toBe(501);
    at.world.stopNode('news/0', 'kill');
    const again = at.open(
      { method: 'CONNECT', url: 'http://news.example:443/' },
      { data() {}, closed() {} },
    );
    await at.run(1_000_000);
    expect([502, 503]).toContain(at.status(again.id));
  });
});

test('a tunnel ends when nothing goes through it for long, and not before', async () => {
  const { at, dig } = tunnelled({ tunnels: { idleTimeout: '1s', max: 2 } });
  const [busy, quiet] = [await dig('news.example:443'), await dig('news.example:443')];
  for (let i = 0; i < 4; i++) {
    busy.stream.write('x');
    await at.run(500_000);
  }
  expect([busy.how, quiet.how]).toEqual([undefined, 'ended']);
  quiet.stream.end();
  await at.run(2_000_000);
  expect(busy.how).toBe('ended');
  // Who says nothing to it is let go of all the same, and its place is free.
  const next = await dig('news.example:443');
  expect(at.status(next.id)).toBe(200);
});

test('a proxy that is stopped ends its tunnels as soon as nothing goes through them', async () => {
  const { at, echo, dig, statusOf } = tunnelled();
  const [busy, quiet] = [await dig('news.example:443'), await dig('news.example:443')];
  await at.run(1_000_000);
  busy.stream.write('x');
  await at.run(10_000);
  at.world.stopNode('egress/0', 'drain');
  await at.run(100_000);
  expect([busy.how, quiet.how]).toEqual([undefined, 'ended']);
  expect(await statusOf('news.example:443')).toBe(503);
  for (let i = 0; i < 5; i++) {
    busy.stream.write('x');
    await at.run(200_000);
  }
  expect([busy.how, busy.got.length]).toEqual([undefined, 6]);
  // Who was asked something, and has not answered, is waited for.
  echo.answers = false;
  busy.stream.write('x');
  await at.run(2_000_000);
  expect(busy.how).toBe(undefined);
  echo.answers = true;
  busy.stream.write('x');
  await at.run(1_200_000);
  expect(busy.how).toBe('ended');
});

test('of who asks for a tunnel and goes away, nothing stays', async () => {
  const { at, echo, dig } = tunnelled({ tunnels: { max: 1 } });
  echo.takes = false;
  const given = await dig('news.example:443');
  given.stream.reset();
  at.cancel(given.id);
  await at.run(20_000);
  echo.takes = true;
  const open = await dig('news.example:443');
  expect(at.status(open.id)).toBe(200);
  open.stream.reset();
  await at.run(20_000);
  expect(at.status((await dig('news.example:443')).id)).toBe(200);
});

test('ports that are none are refused with the design', () => {
  const sites = { 'news.example': service('news', {}) };
  const wrong = forwardProxy('egress', { sites, tunnels: { ports: [0, 443], max: 0 } });
  expect(wrong.problems.map(({ at }) => at)).toEqual([
    'egress.tunnels.max',
    'egress.tunnels.ports',
  ]);
});
