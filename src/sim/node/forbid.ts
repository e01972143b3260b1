/**
 * What the simulation does not own throws at the call, with its name and what to do instead.
 * Under a synchronous drain real I/O could not even complete: without this, a handler would wait
 * for ever and nothing would say so.
 */
import childProcess from 'node:child_process';
import cluster from 'node:cluster';
import dgram from 'node:dgram';
import dns from 'node:dns';
import fs from 'node:fs';
import http from 'node:http';
import http2 from 'node:http2';
import https from 'node:https';
import { Module } from 'node:module';
import net from 'node:net';
import readline from 'node:readline';
import tls from 'node:tls';
import workerThreads from 'node:worker_threads';
import { LoadpathError } from '../../kit/errors.ts';
import type { Patches } from './patches.ts';
import { current, isLoading, loading } from './scope.ts';

const insteads = {
  disk: 'Keep data in a block (kv, cache, topic); what belongs to the design itself can be read while its modules load, at their top level',
  network:
    'Call other blocks through env, and the outside through an external(), which is a stub here and real when live',
  process: 'A simulated node is one thread of one process; model other processes as blocks',
  end: 'To end a node, throw, or let a fault kill it',
  channel:
    'It needs the real event loop, which stands still between simulated events. Use a promise, an EventEmitter or a stream',
} as const;

type Instead = keyof typeof insteads;

export function patchForbidden(patches: Patches): void {
  forbid(patches, 'fs', fs, 'disk', () => true, ['promises', 'constants', 'Stats', 'Dirent']);
  forbid(patches, 'fs.promises', fs.promises, 'disk', () => true, ['constants']);
  forbid(patches, 'net', net, 'network', named('connect', 'createConnection', 'createServer'));
  forbid(patches, 'net.Socket', net.Socket.prototype, 'network', named('connect'));
  forbid(patches, 'net.Server', net.Server.prototype, 'network', named('listen'));
  forbid(patches, 'http', http, 'network', named('request', 'get', 'createServer'));
  forbid(patches, 'https', https, 'network', named('request', 'get', 'createServer'));
  forbid(
    patches,
    'http2',
    http2,
    'network',
    named('connect', 'createServer', 'createSecureServer'),
  );
  forbid(patches, 'tls', tls, 'network', named('connect', 'createServer'));
  forbid(patches, 'dgram', dgram, 'network', named('createSocket', 'Socket'));
  const asksNames = (name: string) => /^(lookup|resolve|reverse)/.test(name);
  forbid(patches, 'dns', dns, 'network', asksNames);
  forbid(patches, 'dns.promises', dns.promises, 'network', asksNames);
  forbid(patches, 'dns.Resolver', dns.Resolver.prototype, 'network', asksNames);
  forbid(patches, 'dns.promises.Resolver', dns.promises.Resolver.prototype, 'network', asksNames);
  forbid(patches, 'child_process', childProcess, 'process', (name) => name !== 'ChildProcess');
  forbid(patches, 'cluster', cluster, 'process', named('fork', 'setupPrimary', 'setupMaster'));
  forbid(patches, 'worker_threads', workerThreads, 'process', named('Worker'));
  forbid(
    patches,
    'worker_threads',
    workerThreads,
    'channel',
    named('MessageChannel', 'BroadcastChannel'),
  );
  forbid(patches, 'readline', readline, 'process', named('createInterface'));
  forbid(patches, 'process', process, 'end', named('exit', 'abort', 'kill', 'reallyExit'));
  forbid(patches, 'process', process, 'disk', named('chdir'));
  forbid(patches, '', globalThis, 'channel', named('MessageChannel', 'BroadcastChannel'));
  forbid(patches, '', globalThis, 'network', named('WebSocket', 'EventSource'));
  forbid(patches, 'Atomics', Atomics, 'channel', named('wait', 'waitAsync'));
  allowRequire(patches);
}

function named(...names: string[]): (name: string) => boolean {
  return (name) => names.includes(name);
}

function forbid(
  patches: Patches,
  prefix: string,
  holder: object,
  instead: Instead,
  wanted: (name: string) => boolean,
  except: readonly string[] = [],
): void {
  for (const name of Object.getOwnPropertyNames(holder)) {
    if (!wanted(name) || except.includes(name) || name === 'constructor') continue;
    const real = (holder as Readonly<Record<string, unknown>>)[name];
    if (typeof real !== 'function') continue;
    patches.value(holder, name, guarded(real, prefix === '' ? name : `${prefix}.${name}`, instead));
  }
}

/** A proxy, so that statics, prototypes and `promisify` see the original. */
function guarded(real: object, name: string, instead: Instead): object {
  const check = () => {
    if (current === undefined || (instead === 'disk' && isLoading())) return;
    current.reached(name);
    throw new LoadpathError(
      'real-io',
      `${current.node}: ${name} reaches the real world, which a simulated node does not have. ${insteads[instead]}.`,
    );
  };
  return new Proxy(real as (...given: unknown[]) => object, {
    apply(target, self, given) {
      check();
      return Reflect.apply(target, self, given);
    },
    construct(target, given, newTarget) {
      check();
      return Reflect.construct(target, given, newTarget) as object;
    },
  });
}

/** Packages may `require` their own parts late: that reads files, but always the same ones. */
function allowRequire(patches: Patches): void {
  const realRequire = Module.prototype.require;
  patches.value(Module.prototype, 'require', function (this: Module, id: string) {
    if (current === undefined) return realRequire.call(this, id);
    return loading(() => realRequire.call(this, id));
  });
}
