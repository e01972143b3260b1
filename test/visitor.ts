/**
 * A visitor who sends requests by hand to a declaration that answers them, in the simulated world:
 *
 *   const { send, run, status } = visit(gateway('edge', …));
 *   const id = send({ url: 'http://edge/a' });
 *   await run(10_000);
 *   expect(status(id)).toBe(200);
 */

import { expect } from 'vitest';
import { expand, reachable } from '../src/design/plan.ts';
import type { Declaration } from '../src/host/declaration.ts';
import type { Address, Handlers, Host, NodeId } from '../src/host/host.ts';
import type { NetworkPlan, NodePlan, Plan } from '../src/host/plan.ts';
import type { Stream, StreamEvents } from '../src/host/stream.ts';
import { type WebReply, type WebRequest, webPort } from '../src/host/web.ts';
import { makeBoot } from '../src/run/boot.ts';
import { arithmetic } from '../src/sim/node/arithmetic.ts';
import { World } from '../src/sim/world.ts';
import { macrotask } from './cluster.ts';
import { link } from './sandbox.ts';

export interface Said {
  readonly url?: string;
  readonly method?: string;
  readonly ip?: string;
  readonly body?: string;
  /** Name, value, name, value … */
  readonly headers?: readonly string[];
  readonly timeoutUs?: number;
}

export interface Visit {
  readonly world: World;
  readonly plan: Plan;
  /** Sends to the first node of the entry, or to `to`; gives the id of the request. */
  send(said?: Said, to?: NodeId): number;
  /** The same as the opening of a stream: what it carries begins with it. */
  open(said: Said, events: StreamEvents): { readonly id: number; readonly stream: Stream };
  cancel(id: number, to?: NodeId): void;
  run(forUs: number): Promise<void>;
  reply(id: number): WebReply | undefined;
  status(id: number): number | undefined;
  text(id: number): Promise<string>;
  /** Ids in the order in which they were answered. */
  readonly answered: readonly number[];
  /** When it was answered, in microseconds of the world. */
  answeredAt(id: number): number | undefined;
  /** A counter of the block's own nodes, summed. */
  counted(block: string, name: string): number;
}

const near = link(500);
const network: NetworkPlan = {
  loopback: near,
  sameZone: near,
  sameRegion: near,
  betweenRegions: near,
  connectTimeoutUs: 100_000,
};

export interface VisitOptions {
  readonly seed?: number;
  /** Who stands on the port `web` of a node in its program's place. */
  readonly instead?: Readonly<Record<NodeId, (host: Host) => Handlers>>;
}

export function visit(entry: Declaration, options: VisitOptions = {}): Visit {
  const declarations = reachable([entry]);
  expect(declarations.flatMap(({ problems }) => problems)).toEqual([]);
  const expanded = expand('visit', declarations, [{ name: 'a', region: 'home' }], network);
  const visitor: NodePlan = {
    id: 'visitor/0',
    block: 'visitor',
    kind: 'visitor',
    role: 'visitor',
    zone: 'a',
    cores: 1,
    userCode: false,
    programs: [{ port: 'visitor', block: 'visitor', role: 'visitor', config: null }],
  };
  const plan = { ...expanded, nodes: [...expanded.nodes, visitor] };
  const byName = new Map(declarations.map((one) => [one.name, one]));
  const boot = makeBoot({
    declarations: () => byName,
    runUserCode: (_node, _life, _what, start) => {
      void start();
    },
  });
  const replies = new Map<number, { readonly reply: WebReply; readonly at: number }>();
  const answered: number[] = [];
  let self: Host | undefined;
  const hear: Handlers = {
    message: (_from: Address, message) => {
      const reply = message as WebReply;
      expect(replies.has(reply.id), 'one reply a request').toBe(false);
      replies.set(reply.id, { reply, at: world.now });
      answered.push(reply.id);
    },
  };
  const world: World = new World({
    plan,
    seed: options.seed ?? 1,
    clocks: { offsetMaxUs: 0, driftMaxPpm: 0 },
    arithmetic,
    drain: () => (process as unknown as { _tickCallback(): void })._tickCallback(),
    boot: (node, life, hostOf) => {
      const other = options.instead?.[node.id];
      if (other) return { ports: new Map([[webPort, other(hostOf(webPort))]]) };
      if (node.id !== visitor.id) return boot(node, life, hostOf);
      self = hostOf('visitor');
      return { ports: new Map([['visitor', hear]]) };
    },
  });
  world.bootAll();
  let nextId = 1;
  const door = `${entry.name}/0`;
  const requestOf = (said: Said): WebRequest => {
    const {
      url = 'http://edge/',
      method = 'GET',
      ip = '20.0.0.1',
      body = null,
      headers = [],
      timeoutUs,
    } = said;
    return { type: 'request', id: nextId++, method, url, headers, body, ip, timeoutUs };
  };
  return {
    world,
    plan,
    answered,
    send(said = {}, to = door) {
      const request = requestOf(said);
      self!.send({ node: to, port: webPort }, request);
      return request.id;
    },
    open(said, events) {
      const request = requestOf(said);
      const stream = self!.connect({ node: door, port: webPort }, events, request);
      return { id: request.id, stream };
    },
    cancel: (id, to = door) => self!.send({ node: to, port: webPort }, { type: 'cancel', id }),
    run: (forUs) => macrotask(() => world.run(world.now + forUs)),
    reply: (id) => replies.get(id)?.reply,
    status: (id) => replies.get(id)?.reply.status,
    text: (id) => new Response((replies.get(id)?.reply.body ?? null) as string | null).text(),
    answeredAt: (id) => replies.get(id)?.at,
    counted(block, name) {
      return world.meters
        .snapshot()
        .filter((reading) => reading.block === block && reading.node.startsWith(`${block}/`))
        .reduce((sum, { counters }) => sum + (counters[name] ?? 0), 0);
    },
  };
}
