/** `console` lines of user code, handed to the run with their node and virtual time. */
import { Console } from 'node:console';
import { Writable } from 'node:stream';
import { format, formatWithOptions } from 'node:util';
import { disguised, type Patches } from './patches.ts';
import { current, type LogLevel } from './scope.ts';

type AnyFunction = (...given: unknown[]) => unknown;

const levels: Readonly<Record<string, LogLevel>> = {
  log: 'log',
  info: 'log',
  debug: 'log',
  warn: 'warn',
  error: 'error',
};

/** Methods that lay out or count: Node's own do it, onto streams that lead here. */
const drawn = ['dir', 'dirxml', 'table', 'assert', 'count', 'countReset', 'trace'] as const;

export function patchConsole(patches: Patches): void {
  const methods = console as unknown as Record<string, AnyFunction>;
  const replace = (name: string, virtual: AnyFunction) => {
    const real = methods[name]!;
    const standIn = (...given: unknown[]) =>
      current === undefined ? real.apply(console, given) : virtual(...given);
    patches.value(console, name, disguised(standIn, real));
  };

  for (const [name, level] of Object.entries(levels)) {
    replace(name, (...given) => current!.log(level, format(...given)));
  }

  const sketch = new Console({ stdout: lines('log'), stderr: lines('error') });
  for (const name of drawn) replace(name, sketch[name] as AnyFunction);

  // Indentation would be shared by all nodes, so a group is only its heading.
  replace('group', (...label) => {
    if (label.length > 0) current!.log('log', format(...label));
  });
  replace('groupCollapsed', (...label) => {
    if (label.length > 0) current!.log('log', format(...label));
  });
  replace('groupEnd', () => {});

  const startedAt = new Map<string, number>();
  const keyOf = (label: unknown) => `${current!.node}\n${label ?? 'default'}`;
  const elapsed = (label: unknown, more: readonly unknown[]) => {
    const from = startedAt.get(keyOf(label));
    if (from === undefined) return;
    const ms = (current!.now() - from) / 1_000;
    const text = `${label ?? 'default'}: ${ms}ms`;
    current!.log('log', more.length === 0 ? text : formatWithOptions({}, text, ...more));
  };
  replace('time', (label) => startedAt.set(keyOf(label), current!.now()));
  replace('timeLog', (label, ...more) => elapsed(label, more));
  replace('timeEnd', (label) => {
    elapsed(label, []);
    startedAt.delete(keyOf(label));
  });

  patchOutput(patches, process.stdout, 'log');
  patchOutput(patches, process.stderr, 'error');
}

/** Synchronous, unlike a stream in general: a Console writes whole lines. */
function lines(level: LogLevel): Writable {
  const stream = new Writable();
  stream.write = (text: unknown) => {
    current?.log(level, trimmed(text));
    return true;
  };
  return stream;
}

function patchOutput(patches: Patches, stream: NodeJS.WriteStream, level: LogLevel): void {
  const real = stream.write as AnyFunction;
  patches.value(stream, 'write', (text: unknown, ...rest: unknown[]) => {
    if (current === undefined) return real.call(stream, text, ...rest);
    current.log(level, trimmed(text));
    const done = rest.find((one) => typeof one === 'function') as (() => void) | undefined;
    if (done) process.nextTick(done);
    return true;
  });
}

function trimmed(text: unknown): string {
  const whole = typeof text === 'string' ? text : Buffer.from(text as Uint8Array).toString();
  return whole.endsWith('\n') ? whole.slice(0, -1) : whole;
}
