/**
 * Server-sent events that survive: a broken connection is opened again, a server that is gone is
 * tried until it is back, and nothing is told twice. Events are handed over in batches, a few a
 * second: a simulation streams faster than anybody reads, and every batch makes the page draw.
 */

/** The events of an `…Events` interface, as values. */
export type MessagesOf<Events> = {
  [Name in keyof Events]: { readonly name: Name; readonly data: Events[Name] };
}[keyof Events];

export type StreamState = 'opening' | 'open' | 'lost' | 'closed';

export interface Stream {
  close(): void;
}

interface StreamListener<Message> {
  onMessages(messages: readonly Message[]): void;
  onState?(state: StreamState): void;
}

/** The browser tries again by itself after what breaks; a server that refuses is asked again after these. */
const retriesMs: readonly number[] = [500, 1_000, 2_000, 4_000];

export function openStream<Message extends { readonly name: string }>(
  url: string,
  names: readonly Message['name'][],
  listener: StreamListener<Message>,
): Stream {
  let source: EventSource | undefined;
  let closed = false;
  let tries = 0;
  let lastId = -1;
  let waiting: Message[] = [];
  let retry: ReturnType<typeof setTimeout> | undefined;
  const flush = batched(() => {
    if (closed || waiting.length === 0) return;
    const batch = waiting;
    waiting = [];
    listener.onMessages(batch);
  });

  function open(): void {
    source = new EventSource(url);
    source.onopen = () => {
      tries = 0;
      listener.onState?.('open');
    };
    source.onerror = () => {
      if (closed) return;
      listener.onState?.('lost');
      if (source?.readyState !== EventSource.CLOSED) return;
      retry = setTimeout(open, retriesMs[Math.min(tries, retriesMs.length - 1)]);
      tries++;
    };
    for (const name of names) source.addEventListener(name, take);
  }

  function take(event: MessageEvent<string>): void {
    const id = Number.parseInt(event.lastEventId, 10);
    // A stream that had to be opened anew begins at its beginning.
    if (Number.isFinite(id) && id <= lastId) return;
    if (Number.isFinite(id)) lastId = id;
    waiting.push({ name: event.type, data: JSON.parse(event.data) } as unknown as Message);
    flush();
  }

  listener.onState?.('opening');
  open();
  return {
    close() {
      if (closed) return;
      flush.now();
      closed = true;
      clearTimeout(retry);
      source?.close();
      listener.onState?.('closed');
    },
  };
}

/** What comes alone is told at once; what keeps coming, this often. */
const batchMs = 150;

/** In an animation frame; a page in the background has none, so a timer stands by. */
function batched(run: () => void): (() => void) & { now(): void } {
  let frame: number | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let toldAtMs = Number.NEGATIVE_INFINITY;
  const now = () => {
    if (frame !== undefined) cancelAnimationFrame(frame);
    clearTimeout(timer);
    frame = undefined;
    timer = undefined;
    toldAtMs = performance.now();
    run();
  };
  const inFrame = () => {
    frame = requestAnimationFrame(now);
    timer = setTimeout(now, 250);
  };
  const soon = () => {
    if (timer !== undefined) return;
    const waitMs = toldAtMs + batchMs - performance.now();
    if (waitMs > 0) timer = setTimeout(inFrame, waitMs);
    else inFrame();
  };
  return Object.assign(soon, { now });
}
