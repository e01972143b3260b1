/**
 * What all have in common that stand between callers and those who are called (intermediaries, in the
 * word of RFC 9110): gateways, edges of a CDN, proxies, sidecars. A request is held until it is answered
 * or given up, a reply goes to whoever waits for it, and bodies may flow on after both.
 *
 *   caller ──request──▶ accept ─▶ open ┄┄ policies ┄┄▶ calls ──request──▶ called
 *   caller ◀──reply── replies ◀──────────────────────── calls ◀──reply─── called
 */
import type { Address, Handlers, Host, Message } from '../host/host.ts';
import type { WebMessage, WebReply, WebRequest } from '../host/web.ts';
import type { Calls } from './calls.ts';
import type { Inbox } from './inbox.ts';
import { isWeb, sendWeb, takeWeb } from './streaming.ts';

interface Parts<Visit, Other extends Message> {
  readonly calls: Calls<WebReply>;
  readonly open: Inbox<Visit>;
  accept(from: Address, request: WebRequest): void;
  /** Who asked went away: nobody waits for what is under way. */
  abandon(visit: Visit): void;
  /** What is no message of the web. */
  other(from: Address, message: Other): void;
}

type Between<Other extends Message> = Required<
  Pick<Handlers<WebMessage | Other>, 'message' | 'stream' | 'refused' | 'disconnected'>
>;

/** All handlers but how it drains. */
export function intermediary<Visit, Other extends Message>(
  parts: Parts<Visit, Other>,
): Between<Other> {
  const { calls, open } = parts;
  return {
    message(from, message) {
      const web = message as WebMessage;
      switch (web.type) {
        case 'request':
          return parts.accept(from, web);
        case 'reply':
          calls.settle(web.id, web);
          return;
        case 'lost':
          return calls.lost(web.id);
        case 'cancel': {
          const visit = open.take(from, web.id);
          if (visit !== undefined) parts.abandon(visit);
          return;
        }
        default:
          parts.other(from, message as Other);
      }
    },
    stream(from, opening, stream) {
      if (!isWeb(opening)) return undefined;
      const { message, events } = takeWeb(opening, stream);
      if (message.type === 'request') parts.accept(from, message);
      else if (!calls.settle(message.id, message)) return undefined;
      return events;
    },
    refused(_to, message) {
      if ('id' in message) calls.refused((message as WebMessage).id);
    },
    disconnected(node) {
      calls.disconnected(node);
      for (const visit of open.takeAllOf(node)) parts.abandon(visit);
    },
  };
}

/** Replies on their way out. Who drains has to wait for the bodies that still flow. */
export class Replies {
  readonly #host: Host;
  readonly #flowed: () => void;
  #flowing = 0;

  /** `flowed`: a body is through, or broke off. */
  constructor(host: Host, flowed: () => void) {
    this.#host = host;
    this.#flowed = flowed;
  }

  /** Bodies that still flow to who asked. */
  get flowing(): number {
    return this.#flowing;
  }

  /** `over` hears how many bytes of its body went through, where it has one that flows. */
  send(
    to: Address,
    id: number,
    { status, headers, body, inlet }: Omit<WebReply, 'type' | 'id'>,
    over?: (bytes: number) => void,
  ): void {
    const reply: WebReply = { type: 'reply', id, status, headers, body };
    if (!inlet) return this.#host.send(to, reply);
    this.#flowing++;
    sendWeb(this.#host, to, { ...reply, inlet }, (_how, { there }) => {
      this.#flowing--;
      over?.(there);
      this.#flowed();
    });
  }
}
