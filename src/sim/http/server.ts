/**
 * The end of connections on a simulated node, what `live/edge.ts` is live: it takes requests off them,
 * hands them to the program beside it, and sends its replies back.
 *
 *   connection ──▶ http:web ── request ──▶ web (the program)
 *              ◀──          ◀── reply ───
 */
import { type Connection, isConnection } from '../../host/connection.ts';
import type { Address, Handlers, Host, Message } from '../../host/host.ts';
import type { TlsPlan } from '../../host/plan.ts';
import type { Chunk, Stream, StreamEvents } from '../../host/stream.ts';
import type { WebReply, WebRequest } from '../../host/web.ts';
import { IdMap } from '../../parts/id-map.ts';
import {
  endFrame,
  type HttpFrame,
  handshakeFrame,
  headFrame,
  partFrame,
  readFrame,
} from './frames.ts';

interface Line {
  readonly stream: Stream;
  /** Of the request that is under way. */
  id: number | undefined;
  /** Its body on the way to the program, and what of it waits for credit there. */
  upload: Stream | undefined;
  uploadHeld: Chunk[];
  /** The body of its reply, and what of it waits for credit here. */
  download: Stream | undefined;
  downloadHeld: Chunk[];
  isSecure: boolean;
  isSocket: boolean;
  isOver: boolean;
}

export function httpServer(
  host: Host,
  port: string,
  tls: TlsPlan | undefined,
  trace: ((from: Address, to: Address, message: Message) => void) | undefined,
): Handlers {
  const program: Address = { node: host.self, port };
  const lines = new Set<Line>();
  const byId = new IdMap<Line>();
  /** Of this process alone, as Node's are: another one cannot go on from it. */
  const ticket = `${host.self} ${host.life}`;
  const handshakes = tls && host.meter.counter('handshakes');
  const resumed = tls && host.meter.counter('resumed');
  let nextId = host.life * 2 ** 32;
  let whenIdle: (() => void) | undefined;

  function accept(stream: Stream): StreamEvents | undefined {
    if (whenIdle) return undefined;
    const line: Line = {
      stream,
      id: undefined,
      upload: undefined,
      uploadHeld: [],
      download: undefined,
      downloadHeld: [],
      isSecure: false,
      isSocket: false,
      isOver: false,
    };
    lines.add(line);
    return {
      data: (chunk) => hear(line, chunk),
      ready: () => {
        for (const chunk of line.downloadHeld.splice(0)) line.download?.took(chunk);
      },
      ended() {
        // Half a connection is of no use to HTTP/1.1: whoever ends it waits for nothing more.
        stream.end();
        over(line);
      },
      closed: () => over(line),
    };
  }

  function hear(line: Line, chunk: Chunk): void {
    const frame = readFrame(chunk);
    if (frame?.is === 'part' && line.upload) return passUp(line, frame.chunk, chunk);
    line.stream.took(chunk);
    if (frame?.is === 'end' && line.upload) line.upload.end(frame.last);
    else if (frame?.is === 'hello' && tls) greet(line, tls, frame.ticket === ticket);
    else if (
      frame?.is === 'head' &&
      line.id === undefined &&
      line.isSecure === (tls !== undefined)
    ) {
      ask(line, frame);
    } else if (frame === undefined || frame.is === 'head' || frame.is === 'hello') {
      line.stream.reset();
      over(line);
    }
  }

  function greet(line: Line, { handshakeCostUs, resumeCostUs }: TlsPlan, isResumed: boolean): void {
    handshakes?.add();
    if (isResumed) resumed?.add();
    host.cpu.charge(isResumed ? resumeCostUs : handshakeCostUs, () => {
      if (line.isOver) return;
      line.isSecure = true;
      line.stream.write(handshakeFrame('greeting', ticket));
    });
  }

  function ask(line: Line, { message, flows }: HttpFrame & { is: 'head' }): void {
    const id = nextId++;
    line.id = id;
    byId.set(id, line);
    const request: WebRequest = {
      ...(message as WebRequest),
      id,
      ...(tls ? { tls: { version: 'TLSv1.3' } } : {}),
    };
    trace?.(line.stream.peer, host.address, request);
    if (!flows) return host.send(program, request);
    const upload = host.connect(
      program,
      {
        data: (chunk) => {
          if (line.isSocket) passDown(line, upload, chunk);
          else upload.took(chunk);
        },
        ended: (last) => {
          if (line.isSocket) line.stream.write(endFrame(last));
        },
        ready: () => {
          for (const chunk of line.uploadHeld.splice(0)) line.stream.took(chunk);
        },
        closed(how) {
          line.upload = undefined;
          for (const chunk of line.uploadHeld.splice(0)) line.stream.took(chunk);
          if (how === 'refused' && byId.has(id)) answer(unserved(id));
          if (!line.isSocket || line.isOver) return;
          if (how === 'done') line.stream.end();
          else line.stream.reset();
          over(line);
        },
      },
      request,
    );
    line.upload = upload;
  }

  function passUp(line: Line, part: Chunk, chunk: Chunk): void {
    if (line.upload?.write(part) === false) line.uploadHeld.push(chunk);
    else line.stream.took(chunk);
  }

  function answer(reply: WebReply): void {
    const line = taken(reply.id);
    if (!line) return;
    line.stream.write(headFrame(reply, false, whenIdle !== undefined));
    // From now on its messages pass, both ways, until it is closed.
    line.isSocket = reply.status === 101 && line.upload !== undefined;
    if (line.isSocket) line.download = line.upload;
    else finish(line);
  }

  function passDown(line: Line, from: Stream, chunk: Chunk): void {
    if (line.stream.write(partFrame(chunk))) from.took(chunk);
    else line.downloadHeld.push(chunk);
  }

  function flow(reply: WebReply, download: Stream): StreamEvents | undefined {
    const line = taken(reply.id);
    if (!line) return undefined;
    line.stream.write(headFrame(reply, true, whenIdle !== undefined));
    line.download = download;
    return {
      data(chunk) {
        passDown(line, download, chunk);
      },
      ended(last) {
        line.stream.write(endFrame(last));
        line.download = undefined;
        download.end();
        finish(line);
      },
      closed(how) {
        // A body that broke off must not look like one that ended.
        if (how === 'done' || line.isOver) return;
        line.stream.reset();
        over(line);
      },
    };
  }

  function taken(id: number): Line | undefined {
    const line = byId.take(id);
    return line?.isOver ? undefined : line;
  }

  /** The next request may come, if there is to be one. */
  function finish(line: Line): void {
    line.id = undefined;
    if (whenIdle) line.stream.end();
  }

  function over(line: Line): void {
    if (line.isOver) return;
    line.isOver = true;
    lines.delete(line);
    line.upload?.reset();
    line.download?.reset();
    // The client is gone before its answer: whoever works on it may stop.
    if (line.id !== undefined && byId.take(line.id)) {
      host.send(program, { type: 'cancel', id: line.id } as Message);
    }
    if (lines.size === 0) whenIdle?.();
  }

  return {
    message(_from, message) {
      if (message.type === 'reply') answer(message as WebReply);
    },
    stream(from, opening: Connection | WebReply, stream) {
      if (isConnection(opening)) return accept(stream);
      return from.node === host.self ? flow(opening, stream) : undefined;
    },
    refused: (_to, message) => {
      if (message.type === 'request') answer(unserved((message as WebRequest).id));
    },
    drain(done) {
      whenIdle = done;
      for (const line of lines) if (line.id === undefined && !line.download) line.stream.end();
      if (lines.size === 0) done();
    },
  } as Handlers;
}

function unserved(id: number): WebReply {
  return { type: 'reply', id, status: 503, headers: ['content-type', 'text/plain'], body: null };
}
