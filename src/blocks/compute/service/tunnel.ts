/**
 * A tunnel that ends at a service: its bytes are a connection from outside, as one that a balancer passes on.
 * What speaks HTTP there, and TLS where `tls` says so, is the end of its own node that takes connections.
 */
import { connectionsOf } from '../../../host/connection.ts';
import type { Host } from '../../../host/host.ts';
import type { WebReply, WebRequest } from '../../../host/web.ts';
import { splice } from '../../../parts/stream.ts';

type Answer = Pick<WebReply, 'status' | 'headers' | 'body'>;

const opened: Answer = { status: 200, headers: [], body: null };
const none: Answer = {
  status: 501,
  headers: ['content-type', 'text/plain'],
  body: 'nothing here takes connections',
};

/** `answer` is called once. */
export function beEnd(
  host: Host,
  { ip, inlet }: WebRequest,
  answer: (reply: Answer) => void,
): void {
  if (!inlet) return answer(none);
  let isOpen = false;
  splice(inlet, (events) =>
    host.connect(
      connectionsOf(host.self),
      {
        ...events,
        opened() {
          isOpen = true;
          answer(opened);
        },
        closed(how) {
          if (!isOpen) answer(none);
          events.closed(how);
        },
      },
      { type: 'connection', ip, port: 0 },
    ),
  );
}
