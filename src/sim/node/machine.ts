/** What a program may ask of its machine: the same answer for every node, on every machine. */
import os from 'node:os';
import v8 from 'node:v8';
import type { Patches } from './patches.ts';
import { current } from './scope.ts';

const megabyte = 2 ** 20;

export function patchMachine(patches: Patches): void {
  const freeze = (holder: object, name: string, virtual: () => unknown) => {
    const real = (holder as Readonly<Record<string, (...given: never[]) => unknown>>)[name];
    if (typeof real !== 'function') return;
    const standIn = (...given: never[]) =>
      current === undefined ? real.apply(holder, given) : virtual();
    patches.value(holder, name, Object.assign(standIn, real));
  };

  const realPid = process.pid;
  const realParentPid = process.ppid;
  patches.getter(process, 'pid', () => (current === undefined ? realPid : 1));
  patches.getter(process, 'ppid', () => (current === undefined ? realParentPid : 0));
  freeze(process, 'memoryUsage', () => ({
    rss: 64 * megabyte,
    heapTotal: 32 * megabyte,
    heapUsed: 16 * megabyte,
    external: megabyte,
    arrayBuffers: megabyte,
  }));
  const memoryUsage = process.memoryUsage as unknown as { rss: () => number };
  const realRss = memoryUsage.rss;
  memoryUsage.rss = () => (current === undefined ? realRss() : 64 * megabyte);
  freeze(v8, 'getHeapStatistics', () => ({
    total_heap_size: 32 * megabyte,
    total_heap_size_executable: 0,
    total_physical_size: 32 * megabyte,
    total_available_size: 512 * megabyte,
    used_heap_size: 16 * megabyte,
    heap_size_limit: 512 * megabyte,
    malloced_memory: megabyte,
    peak_malloced_memory: megabyte,
    does_zap_garbage: 0,
    number_of_native_contexts: 1,
    number_of_detached_contexts: 0,
    total_global_handles_size: 0,
    used_global_handles_size: 0,
    external_memory: megabyte,
  }));
  freeze(v8, 'getHeapSpaceStatistics', () => []);
  freeze(v8, 'getHeapCodeStatistics', () => ({
    code_and_metadata_size: 0,
    bytecode_and_metadata_size: 0,
    external_script_source_size: 0,
    cpu_profiler_metadata_size: 0,
  }));
  freeze(process, 'cpuUsage', () => ({ user: 0, system: 0 }));
  freeze(process, 'resourceUsage', () => ({
    userCPUTime: 0,
    systemCPUTime: 0,
    maxRSS: 64 * 1_024,
    sharedMemorySize: 0,
    unsharedDataSize: 0,
    unsharedStackSize: 0,
    minorPageFault: 0,
    majorPageFault: 0,
    swappedOut: 0,
    fsRead: 0,
    fsWrite: 0,
    ipcSent: 0,
    ipcReceived: 0,
    signalsCount: 0,
    voluntaryContextSwitches: 0,
    involuntaryContextSwitches: 0,
  }));
  freeze(process, 'constrainedMemory', () => 1_024 * megabyte);
  freeze(process, 'availableMemory', () => 512 * megabyte);
  freeze(os, 'freemem', () => 512 * megabyte);
  freeze(os, 'totalmem', () => 1_024 * megabyte);
  freeze(os, 'loadavg', () => [0, 0, 0]);
  freeze(os, 'availableParallelism', () => 1);
  freeze(os, 'cpus', () => [
    { model: 'simulated', speed: 1_000, times: { user: 0, nice: 0, sys: 0, idle: 0, irq: 0 } },
  ]);
  // The one name that tells nodes apart, as in a container.
  freeze(os, 'hostname', () => current!.node.replaceAll('/', '-'));
  freeze(os, 'networkInterfaces', () => ({}));
}
