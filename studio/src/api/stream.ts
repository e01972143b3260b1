/**
 * Server-sent events that survive: a broken connection is opened again, a server that is gone is
 * tried until it is back, and nothing is told twice. Events are handed over in batches, a few a
 * second: a simulation streams faster than anybody reads, and every batch makes the page draw.
 */

/** The events of an `…Events` interface, as values. */
export type MessagesOf<Events> = {
  [Name in keyof Events]: { readonly name: Name; readonly data: Events[Name] };
}[keyof Events];

/** `refused`: something answers, but not with this stream. */
export type StreamState = 'opening' | 'open' | 'lost' | 'refused' | 'closed';

export interface Stream {
  close(): void;
}

interface StreamListener<Message> {
  onMessages(messages: readonly Message[]): void;
  onState?(state: StreamState): void;
}

/** A server that is gone, or refuses, is asked again after these. */
const retriesMs: readonly number[] = [500, 1_000, 2_000, 4_000, 8_000];

export function openStream<Message extends { readonly name: string }>(
  url: string,
  names: readonly Message['name'][],
  listener: StreamListener<Message>,
): Stream {
  let source: EventSource | undefined;
  let closed = false;
  let failures = 0;
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
      failures = 0;
      listener.onState?.('open');
    };
    source.onerror = () => {
      if (closed) return;
      const isRefused = source?.readyState === EventSource.CLOSED;
      const wait = retryAfterMs(failures, isRefused);
      failures++;
      if (wait !== null) {
        source?.close();
        retry = setTimeout(open, wait);
      }
      listener.onState?.(isRefused ? 'refused' : 'lost');
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

/**
 * How long to wait before it is opened anew; null: leave that to the browser. Its own next try tells
 * the server how much was read already, but it would go on trying as fast for ever.
 */
export function retryAfterMs(failures: number, isRefused: boolean): number | null {
  if (failures === 0 && !isRefused) return null;
  return retriesMs[Math.min(failures, retriesMs.length - 1)]!;
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
