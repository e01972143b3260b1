/** Date, hrtime and uptime of the current node. */
import os from 'node:os';
import { disguised, type Patches } from './patches.ts';
import { current } from './scope.ts';

type HrTime = [seconds: number, nanoseconds: number];

export function patchClock(patches: Patches): void {
  patchDate(patches);

  const realHrtime = process.hrtime;
  const hrtime = (since?: HrTime): HrTime => {
    if (current === undefined) return realHrtime(since);
    const now = current.now();
    let seconds = Math.floor(now / 1e6);
    let nanoseconds = (now % 1e6) * 1_000;
    if (since) {
      seconds -= since[0];
      nanoseconds -= since[1];
      if (nanoseconds < 0) {
        seconds--;
        nanoseconds += 1e9;
      }
    }
    return [seconds, nanoseconds];
  };
  hrtime.bigint = () =>
    current === undefined ? realHrtime.bigint() : BigInt(current.now()) * 1_000n;
  patches.value(process, 'hrtime', hrtime);

  const realUptime = process.uptime;
  patches.value(process, 'uptime', () =>
    current === undefined ? realUptime.call(process) : current.now() / 1e6,
  );
  const realOsUptime = os.uptime;
  patches.value(os, 'uptime', () =>
    current === undefined ? realOsUptime() : Math.floor(current.now() / 1e6),
  );
}

function patchDate(patches: Patches): void {
  const RealDate = globalThis.Date;
  const realNow = RealDate.now;

  function VirtualDate(this: unknown, ...parts: unknown[]): string | Date {
    const wanted = new.target as unknown as (new (...handed: unknown[]) => Date) | undefined;
    if (wanted === undefined) {
      return current === undefined ? RealDate() : new RealDate(current.wall() / 1_000).toString();
    }
    const given =
      parts.length === 0 && current !== undefined ? [Math.floor(current.wall() / 1_000)] : parts;
    if ((wanted as unknown) === VirtualDate && given.length === 1) {
      return new RealDate(given[0] as number);
    }
    return Reflect.construct(
      RealDate,
      given,
      (wanted as unknown) === VirtualDate ? RealDate : wanted,
    ) as Date;
  }
  disguised(VirtualDate, RealDate);
  Object.defineProperty(VirtualDate, 'prototype', { value: RealDate.prototype, writable: false });
  const statics: Partial<Record<keyof DateConstructor, unknown>> = {
    now: disguised(
      () => (current === undefined ? realNow() : Math.floor(current.wall() / 1_000)),
      realNow,
    ),
    parse: RealDate.parse,
    UTC: RealDate.UTC,
  };
  for (const [name, value] of Object.entries(statics)) {
    Object.defineProperty(VirtualDate, name, { value, writable: true, configurable: true });
  }
  patches.value(globalThis, 'Date', VirtualDate);
  // `new someDate.constructor()` must not lead back to the real clock.
  patches.value(RealDate.prototype, 'constructor', VirtualDate);
  patchDateFormat(patches);
}

/** `format()` without a date means now. */
function patchDateFormat(patches: Patches): void {
  const format = Intl.DateTimeFormat.prototype;
  const real = Object.getOwnPropertyDescriptor(format, 'format')?.get;
  if (real) {
    patches.getter(format, 'format', function (this: Intl.DateTimeFormat) {
      const bound = real.call(this) as (date?: Date | number) => string;
      if (current === undefined) return bound;
      return (date?: Date | number) => bound(date ?? nowMs());
    });
  }
  const realParts = format.formatToParts;
  patches.value(
    format,
    'formatToParts',
    function (this: Intl.DateTimeFormat, date?: Date | number) {
      return realParts.call(this, date ?? nowMs());
    },
  );
}

function nowMs(): number | undefined {
  return current === undefined ? undefined : Math.floor(current.wall() / 1_000);
}
