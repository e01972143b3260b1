/** Who may call whom in a mesh: identities, what they are worth, and for how long. */
import fc from 'fast-check';
import { gateway, mesh, service } from 'loadpath';
import { describe, expect, test } from 'vitest';
import { type Sketch, sandbox } from '../../../../test/sandbox.ts';
import { visit } from '../../../../test/visitor.ts';
import type { ProgramCode } from '../../../host/declaration.ts';
import type { Handlers, Message } from '../../../host/host.ts';
import { configure } from '../../../kit/config.ts';
import { knobs, type MeshConfig, type SidecarConfig } from './config.ts';
import { control } from './control.ts';
import { identityHeader, nameOf, read, serviceIn, statement, written } from './identity.ts';
import type { MeshOptions } from './index.ts';
import { open, seal } from './sealed.ts';
import { sidecar } from './sidecar.ts';

/**
 * edge → shop → payments ← thief (in the mesh, and not allowed) ← outsider (not in the mesh). Who answers
 * says what headers it got.
 */
function town(options: MeshOptions = {}) {
  const net = mesh('net', {
    sync: '50ms',
    stageFor: '0ms',
    identity: 'required',
    allow: { shop: ['edge'], thief: ['edge'], payments: ['shop'] },
    ...options,
  });
  const payments = service('payments', {
    mesh: net,
    instances: 2,
    fetch: (request) => new Response([...request.headers.keys()].join()),
  });
  const calls = {
    env: { payments },
    fetch: (
      _request: Request,
      env: { readonly payments: { fetch(to: string): Promise<Response> } },
    ) => env.payments.fetch('/'),
  };
  const shop = service('shop', { mesh: net, instances: 2, ...calls });
  const thief = service('thief', { mesh: net, ...calls });
  const outsider = service('outsider', calls);
  const routes = { '/': shop, '/thief': thief, '/outsider': outsider, '/payments': payments };
  const made = visit(gateway('edge', { routes }));
  return {
    ...made,
    async ask(path = '/', headers: readonly string[] = []): Promise<number | undefined> {
      const id = made.send({ url: `http://edge${path}`, headers });
      await made.run(1_500_000);
      return made.status(id);
    },
  };
}

describe('a mesh with identities', () => {
  test('lets in who is allowed, and nobody else, by whatever way', async () => {
    const { ask } = town();
    expect(await ask('/')).toBe(200);
    // In the mesh, but not for this; without a sidecar; the gateway, for which nobody spoke.
    expect(await ask('/thief')).toBe(403);
    expect(await ask('/outsider')).toBe(401);
    expect(await ask('/payments')).toBe(401);
  });

  test('shows nothing of it to services, and believes nothing of it from users', async () => {
    const made = town();
    const id = made.send();
    await made.run(1_000_000);
    expect(await made.text(id)).not.toContain('identity');
    const forged = `spiffe://net/shop shop/0 9999999999999999 ${'0'.repeat(128)}`;
    expect(await made.ask('/payments', ['x-mesh-identity', forged])).toBe(401);
    expect(await made.ask('/payments', ['x-mesh-identity', 'spiffe://net/shop'])).toBe(401);
    expect(await made.ask('/')).toBe(200);
  });

  test('lets every service of the mesh call those whom no rule names', async () => {
    const { ask } = town({ allow: { shop: ['edge'], thief: ['edge'] } });
    expect([await ask('/'), await ask('/thief'), await ask('/outsider')]).toEqual([200, 200, 401]);
  });

  test('renews identities, goes on while they hold, and stops when nobody renews them', async () => {
    const made = town({ identityFor: '4s' });
    await made.run(20_000_000);
    expect(await made.ask()).toBe(200);
    const restart = made.world.inject({ atUs: 0, do: 'kill', target: { node: 'net/0' } });
    await made.run(1_000_000);
    expect(await made.ask()).toBe(200);
    // Identity, and what clocks may differ by.
    await made.run(14_000_000);
    expect(await made.ask()).toBe(401);
    restart();
    await made.run(1_000_000);
    expect(await made.ask()).toBe(200);
  });

  test('knows its sidecars again after a crash, and they each other', async () => {
    const made = town();
    expect(await made.ask()).toBe(200);
    made.world.inject({ atUs: 0, do: 'kill', target: { node: 'net/0' } })();
    made.world.inject({ atUs: 0, do: 'kill', target: { node: 'shop/0' } })();
    await made.run(1_000_000);
    for (let i = 0; i < 4; i++) expect(await made.ask()).toBe(200);
  });

  test('lets calls of a sidecar that has no identity yet wait, and refuses them when none comes', async () => {
    const made = town();
    made.world.inject({ atUs: 0, do: 'kill', target: { node: 'net/0' } });
    expect(await made.ask()).toBe(503);
  });

  test('needs identities for rules, and says what it cannot read', () => {
    const at = (options: MeshOptions) => mesh('net', options).problems.map((one) => one.at);
    expect(at({ allow: { a: ['b'] } })).toEqual(['net.allow']);
    const wrong = { identity: 'required', allow: { a: 'b' } } as unknown as MeshOptions;
    expect(at(wrong)).toEqual(['net.allow.a']);
  });
});

describe('an identity in writing', () => {
  const claims = { name: nameOf('net', 'shop'), node: 'shop/0', until: 1_764_360_000_000_000 };

  test('is read as it was written, and names a service of one mesh only', () => {
    const signature = Uint8Array.from({ length: 64 }, (_, index) => index * 3);
    expect(read(written(claims, signature))).toEqual({ claims, signature });
    expect(serviceIn('net', claims.name)).toBe('shop');
    expect(serviceIn('ne', claims.name)).toBeUndefined();
    expect(new TextDecoder().decode(statement(claims))).toBe(
      'spiffe://net/shop shop/0 1764360000000000',
    );
  });

  test('is undefined, never an exception, for whatever else comes', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(read(text)).toBeUndefined();
        expect(read(`spiffe://${text} a/0 1 ${'0'.repeat(127)}`)).toBeUndefined();
      }),
    );
  });
});

test('what the control plane keeps is opened as it was sealed, and damage is told', () => {
  const bytes = seal({ held: [{ version: 3, change: { a: { traffic: { v1: 1 } } } }], highest: 3 });
  expect(open('mesh/versions', bytes)).toMatchObject({ highest: 3 });
  for (let at = 0; at < bytes.length; at++) {
    const damaged = bytes.slice();
    damaged[at]! ^= 0x10;
    expect(() => open('mesh/versions', damaged)).toThrow(/mesh\/versions is damaged/);
  }
});

test('an identity that was copied, or changed, is worth nothing at another node', () => {
  const { config } = configure('net', knobs, { sync: '50ms', identity: 'required' });
  const shared: MeshConfig = { ...config, allow: {} };
  const sidecarOf = (service: string): SidecarConfig => ({
    ...shared,
    name: 'net',
    service,
    control: 'net/0',
    routes: {},
    registration: null,
    lingerUs: 0,
  });
  const heard: string[] = [];
  /** Shows what it is told to payments, and hears what comes of it. */
  const caller: Sketch = (host) => ({
    message(from, message) {
      if (message.type === 'reply') heard.push(`${host.self} ${String(message.status)}`);
      if (message.type !== 'identity') return;
      const shown = String(message.identity);
      // The same with one's own node in it, which nobody signed.
      const forged = shown.replace('shop/0', host.self);
      for (const [id, identity] of [...new Set([shown, forged])].entries()) {
        const asked = { id: id + 1, method: 'GET', url: 'http://payments/', body: null, ip: '' };
        const headers = [identityHeader, identity];
        host.send({ node: 'payments/0', port: 'in' }, { type: 'request', ...asked, headers });
      }
      // Whose it is gives it away.
      if (from.node === 'net/0') host.send({ node: 'thief/0', port: 'out' }, message);
    },
  });
  const asking: Sketch = (host) => {
    host.after(10_000, () => host.send({ node: 'net/0', port: 'mesh' }, { type: 'identify' }));
    return caller(host);
  };
  const service: Sketch = (host) => ({
    message: (from, { id }) => {
      host.send(from, { type: 'reply', id, status: 200, headers: [], body: null } as Message);
    },
  });
  const code = { open: new Map() } as unknown as ProgramCode;
  const world = sandbox({
    nodes: {
      'net/0': { mesh: (host) => control(host, { ...shared, name: 'net' }) as Handlers },
      'shop/0': { out: asking },
      'thief/0': { out: caller },
      'payments/0': {
        web: service,
        in: (host) => sidecar(host, sidecarOf('payments'), code) as Handlers,
      },
    },
  });
  world.bootAll();
  world.run(1_000_000);
  expect(heard.sort()).toEqual(['shop/0 200', 'thief/0 401', 'thief/0 401']);
});
