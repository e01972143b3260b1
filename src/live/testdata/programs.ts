/**
 * Programs for the tests of the live world: small, written by hand, run in child processes and in
 * this one. A plan names them by `role`.
 */
import type { NodeRuntime } from '../../host/boot.ts';
import type { Address, Handlers, Host, Message, Value } from '../../host/host.ts';
import type { NodePlan, Plan, ProgramPlan } from '../../host/plan.ts';
import type { WebMessage } from '../../host/web.ts';
import { LoadpathError } from '../../kit/errors.ts';
import type { MakeBoot } from '../session.ts';

type Config = Readonly<Record<string, Value | undefined>>;
type TestMessage = Message & Readonly<Record<string, Value | undefined>>;
type TestProgram = (host: Host, config: Config) => Handlers<TestMessage>;

const control: Address = { node: 'control', port: 'control' };

function say(host: Host, message: TestMessage): void {
  host.send(control, message);
}

const programs: Readonly<Record<string, TestProgram>> = {
  /** Answers every ping. */
  echo: (host) => ({
    message(from, message) {
      if (message.type === 'ping') host.send(from, { ...message, type: 'pong' });
      else if (message.type === 'pass on') {
        host.send({ node: String(message.node), port: 'main' }, { type: 'reject' });
      }
      else if (message.type === 'crash') throw new Error('told to crash');
      else if (message.type === 'reject') Promise.reject(new Error('unheard of'));
      else if (message.type === 'throw later') {
        setTimeout(() => {
          throw new Error('too late');
        });
      }
    },
  }),

  /** `go`: keeps `inFlight` pings under way until `count` came back. Tells what else happens to it. */
  asker: (host) => {
    let left = 0;
    let back = 0;
    let startedAt = 0;
    let lastId = -1;
    let disorder = 0;
    let nextId = 0;
    const requests = host.meter.counter('requests');
    const ask = (to: Address) => {
      if (left === 0) return;
      left--;
      requests.add();
      host.send(to, { type: 'ping', id: nextId++, key: 'user:12345', value: { at: 1, name: 'x' } } as Message);
    };
    return {
      message(from, message) {
        if (message.type === 'go') {
          left = Number(message.count);
          back = 0;
          startedAt = host.now();
          const to = { node: String(message.node), port: 'main' };
          for (let i = 0; i < Number(message.inFlight); i++) ask(to);
        } else if (message.type === 'pong') {
          if (Number(message.id) < lastId) disorder++;
          lastId = Number(message.id);
          back++;
          ask(from);
          if (left === 0 && back >= 1 && lastId === nextId - 1) {
            say(host, { type: 'done', back, disorder, tookUs: host.now() - startedAt });
          }
        } else if (message.type === 'surge' || message.type === 'wall') {
          say(host, { type: `saw ${message.type}`, factor: message.factor, wall: host.wall() });
        }
      },
      refused: (to, message) => say(host, { type: 'refused', node: to.node, was: message.type }),
      disconnected: (node) => say(host, { type: 'disconnected', node }),
    };
  },

  /** Writes each `put` to its file, syncs, records, and only then answers. Tells at boot what it found. */
  store: (host) => {
    const bytes = host.disk.read('log') ?? new Uint8Array();
    say(host, { type: 'found', life: host.life, text: new TextDecoder().decode(bytes) });
    return {
      message(_from, message) {
        if (message.type !== 'put') return;
        const op = Number(message.id);
        const text = String(message.text);
        host.record({ block: 'store', phase: 'invoke', op, f: 'put', key: 'k', value: text });
        if (!host.disk.append('log', new TextEncoder().encode(text))) {
          say(host, { type: 'full' });
          return;
        }
        if (message.noSync) return say(host, { type: 'put', id: op });
        host.disk.sync('log', (outcome) => {
          host.record({ block: 'store', phase: outcome === 'ok' ? 'ok' : 'info', op, f: 'put', key: 'k' });
          say(host, { type: outcome, id: op });
        });
      },
      drain: (done) => {
        say(host, { type: 'draining' });
        host.after(20_000, done);
      },
    };
  },

  /** A web server: says what it was asked. `/slow` never answers. */
  web: (host) => ({
    message(from, raw) {
      const message = raw as unknown as WebMessage;
      if (message.type === 'cancel') say(host, { type: 'cancelled', id: message.id });
      if (message.type !== 'request') return;
      const url = new URL(message.url);
      if (url.pathname === '/slow') return;
      const { id, method, ip, session, body } = message;
      const text = body === null ? '' : new TextDecoder().decode(body as Uint8Array);
      const answer = { method, path: url.pathname, host: url.host, ip, session, text };
      const headers = ['content-type', 'application/json', 'set-cookie', 'a=1', 'set-cookie', 'b=2'];
      const status = url.pathname === '/bad' ? 42 : 200;
      const reply = { type: 'reply', id, status, headers, body: JSON.stringify(answer) };
      host.send(from, reply as Message);
    },
  }),

  /** `fetch`: one web request to a node; tells what came of it. */
  fetcher: (host) => ({
    message(from, message) {
      if (message.type === 'fetch') {
        const to = { node: String(message.node), port: 'web' };
        const { id, url, session, timeoutUs } = message;
        const body = message.body ?? null;
        const method = body === null ? 'GET' : 'POST';
        const headers = ['accept', 'application/json'];
        host.send(to, { type: 'request', id, method, url, headers, body, ip: '203.0.113.9', session, timeoutUs } as Message);
      } else if (message.type === 'cancel') {
        host.send({ node: String(message.node), port: 'web' }, message);
      } else {
        say(host, { type: 'came', from: from.node, what: message.type, id: message.id, status: message.status, body: message.body });
      }
    },
    refused: (to, message) => say(host, { type: 'refused', node: to.node, was: message.type }),
  }),

  /** Tells what the control plane tells it. */
  told: (host) => ({
    message(_from, message) {
      if (message.type === 'shift') say(host, { ...message, type: `shift at ${host.address.port}` });
    },
  }),

  /** Throws while booting, in lives `from` to `lives`. */
  sick: (host, config) => {
    if (host.life >= Number(config.from ?? 1) && host.life <= Number(config.lives ?? Infinity)) {
      if (host.life === 1 || config.from === undefined) console.error('about to fail');
      if (config.corrupt) throw new LoadpathError('data-corrupt', 'links/log is damaged at byte 17');
      if (host.life <= Number(config.fullUntil ?? 0)) throw new LoadpathError('disk-full', 'no room');
      throw new Error('cannot come up');
    }
    return { message() {} };
  },
};

export const makeBoot: MakeBoot = () => (node, _life, hostOf) => {
  const ports = new Map<string, Handlers>();
  for (const plan of node.programs) {
    const program = programs[plan.role]!;
    ports.set(plan.port, program(hostOf(plan.port), plan.config as Config) as Handlers);
  }
  const runtime: NodeRuntime = { ports };
  return runtime;
};

/** One node with one program on port `main`, or `web` when it has an edge. */
export function nodePlan(id: string, role: string, more: Partial<ProgramPlan> = {}): NodePlan {
  const block = id.split('/')[0]!;
  const program: ProgramPlan = { port: 'main', block, role, config: {}, ...more };
  return {
    id,
    block,
    kind: role === 'asker' || role === 'fetcher' ? 'users' : 'test',
    role,
    zone: 'a',
    cores: 1,
    userCode: false,
    programs: [program],
  };
}

export function planOf(...nodes: readonly NodePlan[]): Plan {
  const link = { delay: { kind: 'constant', value: 0 }, lossRatio: 0, duplicateRatio: 0 } as const;
  return {
    design: 'test',
    zones: [{ name: 'a', region: 'r' }],
    nodes,
    network: {
      loopback: link,
      sameZone: link,
      sameRegion: link,
      betweenRegions: link,
      connectTimeoutUs: 200_000,
    },
  };
}
