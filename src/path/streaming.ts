/**
 * Requests and replies whose body flows. Such a message is the opening of a stream that carries its
 * body; all others are plain messages. Who takes one off a port finds the rest in its `inlet`.
 */
import type { Address, Host, Message } from '../host/host.ts';
import type { Inlet, Stream, StreamClose, StreamEvents } from '../host/stream.ts';
import type { WebReply, WebRequest } from '../host/web.ts';
import { Intake, type Passed, splice } from '../parts/stream.ts';

export type Over = (how: StreamClose, bytes: Passed) => void;

/** Sends it as what it is. `over`: its body is through, or broke off. What comes back is that body's stream. */
export function sendWeb(
  host: Host,
  to: Address,
  message: WebRequest | WebReply,
  over?: Over,
): Stream | undefined {
  const { inlet } = message;
  if (!inlet) {
    host.send(to, message);
    return undefined;
  }
  return splice(inlet, (events) => host.connect(to, events, withoutInlet(message)), over);
}

/** Begins the stream of a message that has something to say both ways; what comes waits in the answer. */
export function openWeb(host: Host, to: Address, message: WebRequest, over: Over): Inlet {
  const none: Passed = { there: 0, back: 0 };
  const stream = host.connect(
    to,
    {
      data: (chunk) => intake.events.data(chunk),
      ready: () => intake.events.ready?.(),
      ended: (last) => intake.events.ended?.(last),
      closed: (how) => {
        over(how, none);
        intake.events.closed(how);
      },
    },
    message,
  );
  const intake = new Intake(stream);
  return intake;
}

/** What came with a stream, as the message that it stands for, and where the rest of it goes. */
export function takeWeb<M extends WebRequest | WebReply>(
  opening: M,
  stream: Stream,
): { readonly message: M; readonly events: StreamEvents } {
  const intake = new Intake(stream);
  return { message: { ...opening, inlet: intake }, events: intake.events };
}

export function isWeb(message: Message): message is WebRequest | WebReply {
  return message.type === 'request' || message.type === 'reply';
}

function withoutInlet(message: WebRequest | WebReply): WebRequest | WebReply {
  const { inlet: _, ...rest } = message;
  return rest;
}
