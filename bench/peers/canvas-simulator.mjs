/**
 * A simulator as those behind drawing boards are built: three events a request, an object a
 * request and an event, a binary heap of objects, gamma service times, every twentieth latency kept as
 * a sample. No network, no policies, no timeouts, no failures: what a peer leaves out is left out here.
 *
 *   client → balancer → 3 services of 4 slots, 5 ms → store of 5 slots, 2 ms
 */

class Heap {
  #items = [];

  get size() {
    return this.#items.length;
  }

  push(item) {
    const items = this.#items;
    let at = items.length;
    items.push(item);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (items[parent].time <= item.time) break;
      items[at] = items[parent];
      at = parent;
    }
    items[at] = item;
  }

  pop() {
    const items = this.#items;
    const top = items[0];
    const last = items.pop();
    if (items.length > 0) {
      let at = 0;
      for (;;) {
        let child = 2 * at + 1;
        if (child >= items.length) break;
        if (child + 1 < items.length && items[child + 1].time < items[child].time) child++;
        if (items[child].time >= last.time) break;
        items[at] = items[child];
        at = child;
      }
      items[at] = last;
    }
    return top;
  }
}

/** mulberry32: what such simulators seed themselves with. */
function generator(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Marsaglia and Tsang's method; a shape below 1 by its boost. */
function gamma(random, shape, scale) {
  if (shape < 1) return gamma(random, shape + 1, scale) * random() ** (1 / shape);
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    let x;
    let v;
    do {
      const u = Math.sqrt(-2 * Math.log(1 - random()));
      x = u * Math.cos(2 * Math.PI * random());
      v = 1 + c * x;
    } while (v <= 0);
    v = v * v * v;
    if (Math.log(1 - random()) < 0.5 * x * x + d - d * v + d * Math.log(v)) return d * v * scale;
  }
}

const stride = 20;

/** Answers how many requests were completed in `seconds` of virtual time at `rate` a second. */
export function simulate({ seed, seconds, rate }) {
  const random = generator(seed);
  const heap = new Heap();
  const services = [0, 1, 2].map((id) => ({ id, slots: 4, mean: 0.005, busy: 0, waiting: [] }));
  const store = { id: 3, slots: 5, mean: 0.002, busy: 0, waiting: [] };
  const samples = [];
  let turn = 0;
  let nextId = 0;
  let completed = 0;

  const serve = (station, request, now) => {
    if (station.busy < station.slots) {
      station.busy++;
      heap.push({
        time: now + gamma(random, 1, station.mean),
        type: 'done',
        station,
        request,
      });
    } else station.waiting.push(request);
  };

  heap.push({ time: 0, type: 'arrival', station: null, request: null });
  while (heap.size > 0) {
    const event = heap.pop();
    const now = event.time;
    if (event.type === 'arrival') {
      if (now >= seconds) continue;
      const request = {
        id: nextId++,
        startedAt: now,
        path: ['client', 'balancer'],
        status: 'open',
      };
      serve(services[turn++ % 3], request, now);
      heap.push({
        time: now - Math.log(1 - random()) / rate,
        type: 'arrival',
        station: null,
        request: null,
      });
      continue;
    }
    const { station, request } = event;
    station.busy--;
    request.path.push(station.id);
    if (station.waiting.length > 0) serve(station, station.waiting.shift(), now);
    if (station === store) {
      request.status = 'done';
      completed++;
      if (completed % stride === 0) samples.push(now - request.startedAt);
    } else serve(store, request, now);
  }
  samples.sort((a, b) => a - b);
  return {
    completed,
    p50Ms: samples[samples.length >> 1] * 1e3,
    p99Ms: samples[Math.floor(samples.length * 0.99)] * 1e3,
  };
}
