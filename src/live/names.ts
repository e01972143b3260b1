/**
 * The door for questions about names: DNS over UDP and TCP (RFC 1035, 4.2; RFC 7766) in front of a
 * program that speaks of nodes. A node is an address and a port here: A for the one, SRV for both.
 *
 *   client ══ datagram ══▶ [ question ] ── query ──▶ resolver
 *   client ◀═ datagram ══ [ records  ] ◀── answer ──┘
 */
import { createSocket, type Socket as Datagrams } from 'node:dgram';
import { createServer, type Server, type Socket } from 'node:net';
import type { NodeId } from '../host/host.ts';
import type { NameAnswer, NameQuery } from '../host/naming.ts';
import {
  datagramMaxBytes,
  dnsTypes,
  payloadMaxBytes,
  readQuestion,
  type WireAnswer,
  type WireQuestion,
  type WireRecord,
  writeAnswer,
} from '../parts/dns-wire.ts';
import { portTaken } from './listening.ts';

export interface NamesOptions {
  /** 0 for any that is free for both. */
  readonly port: number;
  /** Ids start above it. */
  readonly life: number;
  readonly deliver: (query: NameQuery) => void;
  /** Where a node is spoken to from outside; without a port it has no door of its own. */
  readonly placeOf: (node: NodeId) => {
    readonly address: string;
    readonly port?: number | undefined;
  };
}

interface Asked {
  readonly question: WireQuestion;
  /** The record that it is about, and the node of it that is meant, where one is. */
  readonly name: string;
  readonly node: string | undefined;
  /** The record below which this name stands, with names made of that record below itself. */
  readonly between: string | undefined;
  /** There is no record of this name, and it was asked whether there is that one. */
  readonly isBetween: boolean;
  readonly maxBytes: number;
  readonly send: (bytes: Uint8Array) => void;
  readonly timer: NodeJS.Timeout;
}

/** Questions that wait for the resolver; more are not taken. */
const askedMax = 10_000;
const patienceMs = 10_000;
const connectionsMax = 100;
/** RFC 7766, 6.2.3: in the order of seconds. */
const idleMs = 10_000;
const portTries = 20;

export class NamesDoor {
  readonly #options: NamesOptions;
  readonly #asked = new Map<number, Asked>();
  readonly #connections = new Set<Socket>();
  #datagrams: Datagrams | undefined;
  #server: Server | undefined;
  #nextId: number;

  constructor(options: NamesOptions) {
    this.#options = options;
    this.#nextId = options.life * 2 ** 32;
  }

  /** Throws `LoadpathError('port-taken')` when another process listens there. */
  async listen(): Promise<number> {
    const { port } = this.#options;
    for (let tries = 1; ; tries++) {
      const server = createServer((socket) => this.#connected(socket));
      server.maxConnections = connectionsMax;
      const taken = await opened(server, () => server.listen({ host: '127.0.0.1', port }));
      if (!taken) throw portTaken(port);
      const place = server.address();
      const both = place !== null && typeof place !== 'string' ? place.port : port;
      const datagrams = createSocket('udp4');
      const isOurs = await opened(datagrams, () => datagrams.bind(both, '127.0.0.1'));
      if (isOurs) {
        this.#server = server;
        this.#datagrams = datagrams;
        datagrams.on('error', () => {});
        datagrams.on('message', (bytes, { port: from, address }) =>
          this.#take(bytes, datagramMaxBytes, (answer) => datagrams.send(answer, from, address)),
        );
        return both;
      }
      server.close();
      if (port !== 0 || tries === portTries) throw portTaken(both);
    }
  }

  answer(answer: NameAnswer): void {
    const asked = this.#asked.get(answer.id);
    if (!asked) return;
    this.#asked.delete(answer.id);
    clearTimeout(asked.timer);
    const { between } = asked;
    if (answer.code === 'no-name' && between !== undefined) {
      return this.#ask({ ...asked, name: between, between: undefined, isBetween: true });
    }
    asked.send(writeAnswer(asked.question, this.#told(asked, answer), asked.maxBytes));
  }

  close(): void {
    for (const { timer } of this.#asked.values()) clearTimeout(timer);
    this.#asked.clear();
    this.#datagrams?.close();
    this.#server?.close();
    for (const socket of this.#connections) socket.destroy();
  }

  #connected(socket: Socket): void {
    this.#connections.add(socket);
    socket.on('close', () => this.#connections.delete(socket));
    socket.on('error', () => socket.destroy());
    socket.setTimeout(idleMs, () => socket.destroy());
    let come = Buffer.alloc(0);
    socket.on('data', (part: Buffer) => {
      come = Buffer.concat([come, part]);
      while (come.length >= 2 && come.length >= 2 + come.readUInt16BE(0)) {
        const length = come.readUInt16BE(0);
        const bytes = come.subarray(2, 2 + length);
        come = come.subarray(2 + length);
        this.#take(bytes, 65_535, (answer) => {
          const head = Buffer.alloc(2);
          head.writeUInt16BE(answer.length);
          socket.write(Buffer.concat([head, answer]));
        });
      }
    });
  }

  #take(bytes: Uint8Array, wayMaxBytes: number, send: (bytes: Uint8Array) => void): void {
    const question = readQuestion(bytes);
    if (!question || this.#asked.size >= askedMax) return;
    const said = question.payloadMaxBytes ?? 0;
    const maxBytes = Math.max(wayMaxBytes, Math.min(said, payloadMaxBytes));
    if (question.flaw) return send(writeAnswer(question, { code: question.flaw }, maxBytes));
    this.#ask({ question, ...meant(question.name), isBetween: false, maxBytes, send });
  }

  #ask(asked: Omit<Asked, 'timer'>): void {
    const id = this.#nextId++;
    const timer = setTimeout(() => this.#asked.delete(id), patienceMs);
    this.#asked.set(id, { ...asked, timer });
    this.#options.deliver({ type: 'query', id, name: asked.name, region: null });
  }

  #told(asked: Asked, { code, nodes, aliases, text, ttlUs }: NameAnswer): WireAnswer {
    const { question, name, node, isBetween } = asked;
    const ttlSec = Math.ceil(ttlUs / 1_000_000);
    const authority: readonly WireRecord[] = [{ name, type: 'SOA', ttlSec }];
    if (code === 'failed') return { code: 'failed' };
    if (isBetween && nodes.length > 0) return { code: 'ok', authority };
    const named = node === undefined ? nodes : nodes.filter((one) => labelOf(one) === node);
    if (code !== 'ok' || isBetween || (node !== undefined && named.length === 0)) {
      return { code: 'no-name', authority };
    }
    const answers: WireRecord[] = [];
    const additional: WireRecord[] = [];
    let last = question.name;
    if (node === undefined) {
      for (const to of aliases) {
        answers.push({ name: last, type: 'CNAME', ttlSec, to });
        last = to;
      }
    }
    const wants = (type: number): boolean =>
      question.type === type || question.type === dnsTypes.ANY;
    if (text !== null && wants(dnsTypes.TXT)) {
      answers.push({ name: last, type: 'TXT', ttlSec, text });
    }
    const places = named.map((one) => ({ one, ...this.#options.placeOf(one) }));
    if (wants(dnsTypes.A)) {
      // On one machine many nodes have one address.
      for (const address of new Set(places.map((place) => place.address))) {
        answers.push({ name: last, type: 'A', ttlSec, address });
      }
    }
    if (wants(dnsTypes.SRV)) {
      for (const { one, address, port } of places) {
        if (port === undefined) continue;
        const target = `${labelOf(one)}.${aliases.at(-1) ?? name}`;
        answers.push({ name: last, type: 'SRV', ttlSec, port, target });
        additional.push({ name: target, type: 'A', ttlSec, address });
      }
    }
    return answers.length > 0 ? { code: 'ok', answers, additional } : { code: 'ok', authority };
  }
}

/** `edge/0` in a name. */
function labelOf(node: NodeId): string {
  return `${node.replace('/', '-')}.node`;
}

/**
 * `edge-0.node.shop.test` is a node of `shop.test`; `_http._tcp.shop.test` is `shop.test` itself. What stands
 * between, `_tcp.shop.test`, has nothing of its own, and is there all the same (RFC 8020, 2).
 */
function meant(asked: string): Pick<Asked, 'name' | 'node' | 'between'> {
  const node = /^([^.]+-\d+\.node)\.(.+)$/.exec(asked);
  if (node) return { name: node[2]!, node: node[1]!, between: undefined };
  const between = /^(?:_tcp|_udp|node)\.(.+)$/.exec(asked)?.[1];
  return { name: asked.replace(/^_[^.]+\._(tcp|udp)\./, ''), node: undefined, between };
}

/** False when it could not be opened. */
function opened(door: Server | Datagrams, open: () => void): Promise<boolean> {
  return new Promise((resolve) => {
    const failed = (): void => resolve(false);
    door.once('error', failed);
    door.once('listening', () => {
      door.off('error', failed);
      resolve(true);
    });
    open();
  });
}
