/**
 * `performance` of the current node: its clock, and a timeline of its own for each life. Node has one
 * for the whole thread, which keeps every entry until somebody clears it.
 */
import perfHooks, {
  type Performance,
  type PerformanceEntry,
  type PerformanceObserver,
  type RecordableHistogram,
} from 'node:perf_hooks';
import { disguised, type Patches } from './patches.ts';
import { current, type Scope } from './scope.ts';

interface MeasureOptions {
  readonly start?: string | number;
  readonly end?: string | number;
  readonly duration?: number;
  readonly detail?: unknown;
}

interface ObserveOptions {
  readonly type?: string;
  readonly entryTypes?: readonly string[];
  readonly buffered?: boolean;
}

/** What an observer's callback is given. */
type ObservedList = Pick<Performance, 'getEntries' | 'getEntriesByName' | 'getEntriesByType'>;
type Callback = (list: ObservedList, observer: PerformanceObserver) => void;

class Timeline {
  entries: PerformanceEntry[] = [];
  readonly #scope: Scope;
  readonly #observers = new Map<PerformanceObserver, Set<string>>();
  #waiting = new Map<PerformanceObserver, PerformanceEntry[]>();

  constructor(scope: Scope) {
    this.#scope = scope;
  }

  add<T extends PerformanceEntry>(entry: T): T {
    this.entries.push(entry);
    for (const [observer, types] of this.#observers) {
      if (types.has(entry.entryType)) this.#tell(observer, [entry]);
    }
    return entry;
  }

  clear(entryType: string, name: string | undefined): void {
    const isKept = (entry: PerformanceEntry) =>
      entry.entryType !== entryType || (name !== undefined && entry.name !== name);
    this.entries = this.entries.filter(isKept);
  }

  /** Where a measure begins or ends: at a time, or at the last mark of that name. */
  timeOf(at: string | number | undefined, otherwise: number): number {
    if (at === undefined) return otherwise;
    if (typeof at === 'number') return at;
    const mark = this.entries.findLast(
      ({ name, entryType }) => name === at && entryType === 'mark',
    );
    if (mark) return mark.startTime;
    throw new DOMException(`The "${at}" performance mark has not been set`, 'SyntaxError');
  }

  observe(observer: PerformanceObserver, { type, entryTypes, buffered }: ObserveOptions): void {
    const types = new Set(entryTypes ?? this.#observers.get(observer));
    if (type !== undefined) types.add(type);
    this.#observers.set(observer, types);
    const before = buffered ? this.entries.filter(({ entryType }) => entryType === type) : [];
    if (before.length > 0) this.#tell(observer, before);
  }

  disconnect(observer: PerformanceObserver): void {
    this.#observers.delete(observer);
    this.#waiting.delete(observer);
  }

  take(observer: PerformanceObserver): readonly PerformanceEntry[] {
    const entries = this.#waiting.get(observer) ?? [];
    this.#waiting.delete(observer);
    return entries;
  }

  /** Together, once the code that runs has come to its end, as the platform does it. */
  #tell(observer: PerformanceObserver, entries: readonly PerformanceEntry[]): void {
    const waiting = this.#waiting.get(observer);
    if (waiting) waiting.push(...entries);
    else this.#waiting.set(observer, [...entries]);
    if (this.#waiting.size === 1 && !waiting) this.#scope.after(0, () => this.#deliver());
  }

  #deliver(): void {
    const waiting = this.#waiting;
    this.#waiting = new Map();
    for (const [observer, entries] of waiting) {
      callbacks.get(observer)?.(sortedList(entries), observer);
    }
  }
}

/** The types of Node know no constructor, but there is one. */
const Mark = PerformanceMark as unknown as new (
  name: string,
  options: { readonly startTime: number },
) => PerformanceEntry;

const callbacks = new WeakMap<PerformanceObserver, Callback>();
const timelines = new WeakMap<Scope, Timeline>();

function timelineOf(scope: Scope): Timeline {
  let timeline = timelines.get(scope);
  if (!timeline) {
    timeline = new Timeline(scope);
    timelines.set(scope, timeline);
  }
  return timeline;
}

function sortedList(entries: readonly PerformanceEntry[]): ObservedList {
  const sorted = entries.toSorted((a, b) => a.startTime - b.startTime);
  return {
    getEntries: () => [...sorted],
    getEntriesByName: (name, type) =>
      sorted.filter(
        (entry) => entry.name === name && (type === undefined || entry.entryType === type),
      ),
    getEntriesByType: (type) => sorted.filter((entry) => entry.entryType === type),
  };
}

function nowMs(scope: Scope): number {
  return scope.now() / 1_000;
}

export function patchPerformance(patches: Patches): void {
  const { performance } = globalThis;
  const methods = Object.getPrototypeOf(performance) as Performance;
  const realNow = methods.now;
  // Without a list of arguments: programs ask for it at every step.
  const now = disguised(function (this: Performance): number {
    return current === undefined ? realNow.call(this) : current.now() / 1_000;
  }, realNow);
  patches.value(methods, 'now', now);

  const realOrigin = Object.getOwnPropertyDescriptor(methods, 'timeOrigin')?.get;
  if (realOrigin) {
    patches.getter(methods, 'timeOrigin', function (this: Performance) {
      if (current === undefined) return realOrigin.call(this);
      return (current.wall() - current.now()) / 1_000;
    });
  }
  const realStamp = Object.getOwnPropertyDescriptor(Event.prototype, 'timeStamp')?.get;
  if (realStamp) {
    patches.getter(Event.prototype, 'timeStamp', function (this: Event) {
      return current === undefined ? realStamp.call(this) : nowMs(current);
    });
  }
  const idle = { idle: 0, active: 0, utilization: 0 };
  replace(patches, performance, 'eventLoopUtilization', () => ({ ...idle }));
  patchTiming(patches, performance);
  patchTimeline(patches, methods);
  patchObserver(patches);
  patchHistograms(patches);
}

/** Between two calls it takes the node's time, of which there may have passed none: the least it records is one. */
function patchHistograms(patches: Patches): void {
  const methods = Object.getPrototypeOf(perfHooks.createHistogram()) as RecordableHistogram;
  const calledAt = new WeakMap<RecordableHistogram, number>();
  const real = methods.recordDelta;
  const recordDelta = function (this: RecordableHistogram): void {
    if (current === undefined) return real.call(this);
    const now = current.now();
    const before = calledAt.get(this);
    calledAt.set(this, now);
    if (before !== undefined) this.record(Math.max(1, (now - before) * 1_000));
  };
  patches.value(methods, 'recordDelta', disguised(recordDelta, real));
}

/** Told from the node's boot on, which takes no time here. */
function patchTiming(patches: Patches, performance: Performance): void {
  const phases = ['nodeStart', 'v8Start', 'environment', 'bootstrapComplete', 'loopStart'];
  const timing = (scope: Scope) => ({
    name: 'node',
    entryType: 'node',
    startTime: 0,
    duration: nowMs(scope),
    ...Object.fromEntries(phases.map((phase) => [phase, 0])),
    loopExit: -1,
    idleTime: 0,
  });
  const realTiming = performance.nodeTiming;
  patches.getter(performance, 'nodeTiming', () =>
    current === undefined ? realTiming : timing(current),
  );
  replace(patches, Object.getPrototypeOf(performance) as Performance, 'toJSON', (scope) => ({
    nodeTiming: timing(scope),
    timeOrigin: (scope.wall() - scope.now()) / 1_000,
    eventLoopUtilization: { idle: 0, active: 0, utilization: 0 },
  }));
}

function patchTimeline(patches: Patches, methods: Performance): void {
  replace(patches, methods, 'mark', (scope, name, options) =>
    // Made by itself an entry is in no timeline of the platform.
    timelineOf(scope).add(
      new Mark(name as string, { startTime: nowMs(scope), ...(options as object) }),
    ),
  );
  replace(patches, methods, 'measure', (scope, name, from, to) => {
    const timeline = timelineOf(scope);
    const options: MeasureOptions =
      typeof from === 'object' && from !== null
        ? from
        : { start: from as string, end: to as string };
    const { start, duration, detail = null } = options;
    const endedAt =
      options.end === undefined && start !== undefined && duration !== undefined
        ? timeline.timeOf(start, 0) + duration
        : timeline.timeOf((to as string | undefined) ?? options.end, nowMs(scope));
    const beganAt =
      start === undefined && duration !== undefined
        ? endedAt - duration
        : timeline.timeOf(start, 0);
    return timeline.add(measured(String(name), beganAt, endedAt - beganAt, detail));
  });
  const lists = (scope: Scope) => sortedList(timelineOf(scope).entries);
  replace(patches, methods, 'getEntries', (scope) => lists(scope).getEntries());
  replace(patches, methods, 'getEntriesByName', (scope, name, type) =>
    lists(scope).getEntriesByName(name as string, type as never),
  );
  replace(patches, methods, 'getEntriesByType', (scope, type) =>
    lists(scope).getEntriesByType(type as never),
  );
  replace(patches, methods, 'clearMarks', (scope, name) =>
    timelineOf(scope).clear('mark', name as string | undefined),
  );
  replace(patches, methods, 'clearMeasures', (scope, name) =>
    timelineOf(scope).clear('measure', name as string | undefined),
  );
}

/** Nobody but the platform may construct one. */
function measured(
  name: string,
  startTime: number,
  duration: number,
  detail: unknown,
): PerformanceEntry {
  const fields = { name, entryType: 'measure', startTime, duration, detail };
  const entry = Object.create(PerformanceMeasure.prototype) as PerformanceEntry;
  for (const [field, value] of Object.entries({ ...fields, toJSON: () => fields })) {
    Object.defineProperty(entry, field, { value, enumerable: field !== 'toJSON' });
  }
  return entry;
}

/** Of marks and measures an observer hears; what else there is to observe does not happen here. */
function patchObserver(patches: Patches): void {
  const Real = perfHooks.PerformanceObserver;
  const standIn = new Proxy(Real, {
    construct(target, given, newTarget) {
      const observer = Reflect.construct(target, given, newTarget) as PerformanceObserver;
      callbacks.set(observer, given[0] as Callback);
      return observer;
    },
  });
  patches.value(perfHooks, 'PerformanceObserver', standIn);
  patches.value(globalThis, 'PerformanceObserver', standIn);
  const { prototype } = Real;
  for (const name of ['observe', 'disconnect', 'takeRecords'] as const) {
    const real = prototype[name as 'observe'] as (
      this: PerformanceObserver,
      given?: unknown,
    ) => unknown;
    const virtual = function (this: PerformanceObserver, options?: ObserveOptions): unknown {
      if (current === undefined) return real.call(this, options);
      const timeline = timelineOf(current);
      if (name === 'takeRecords') return timeline.take(this);
      if (name === 'disconnect') return timeline.disconnect(this);
      return timeline.observe(this, options ?? {});
    };
    patches.value(prototype, name, disguised(virtual, real));
  }
}

type Virtual = (scope: Scope, ...given: unknown[]) => unknown;

/** Called with the scope of the current node; without one the platform's own acts. */
function replace(patches: Patches, holder: object, name: string, virtual: Virtual): void {
  const real = (holder as Record<string, (...given: unknown[]) => unknown>)[name]!;
  const standIn = function (this: unknown, ...given: unknown[]): unknown {
    return current === undefined ? real.apply(this, given) : virtual(current, ...given);
  };
  patches.value(holder, name, disguised(standIn, real));
}
