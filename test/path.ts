/**
 * A path for tests: a caller with its policy, scripted instances, a simulated world between them.
 *
 *   const { ask, requests } = path({ instances: { 'api/0': () => ({ status: 503 }) }, retry: {} });
 *   ask();
 *   expect(requests).toHaveLength(2);
 */
import { expect } from 'vitest';
import { mayControl, type ToProgram } from '../src/host/control.ts';
import type { Host } from '../src/host/host.ts';
import { isWebFailure, type WebMessage, type WebReply, type WebRequest } from '../src/host/web.ts';
import { seeded } from '../src/kit/random.ts';
import { Caller, isForCallers, type Outcome, type Targets } from '../src/path/caller.ts';
import { Calls } from '../src/path/calls.ts';
import { type PathOptions, pathPolicy } from '../src/path/policy.ts';
import type { World } from '../src/sim/world.ts';
import { type Sketch, sandbox } from './sandbox.ts';

/** What an instance does with its request number `index`: a status after a time, or nothing. */
export type Answering = (
  index: number,
  request: WebRequest,
) =>
  | {
      readonly status: number;
      readonly afterUs?: number;
      readonly headers?: readonly string[];
    }
  | undefined;

export interface Path {
  readonly world: World;
  readonly caller: Caller;
  /** In order of arrival; `at` is the time of the world. */
  readonly requests: { readonly node: string; readonly request: WebRequest; readonly at: number }[];
  readonly cancels: { readonly node: string; readonly id: number }[];
  /** A message to the caller, from a program of this node. */
  say(from: string, message: ToProgram): void;
  /** Calls and runs until nothing is under way any more. */
  ask(method?: string, deadlineUs?: number, headers?: readonly string[]): Outcome;
  /** What it returns gives the call up. */
  start(
    method: string,
    done: (outcome: Outcome) => void,
    deadlineUs?: number,
    headers?: readonly string[],
  ): () => void;
}

export const fine: Answering = () => ({ status: 200 });

export function path(
  options: PathOptions & {
    readonly instances?: Readonly<Record<string, Answering>>;
    readonly targets?: Targets;
    /** Who does not serve from the beginning. */
    readonly spare?: readonly string[];
    readonly seed?: number;
  } = {},
): Path {
  const {
    instances = { 'api/0': fine, 'api/1': fine },
    targets,
    spare = [],
    seed = 1,
    ...policyOptions
  } = options;
  const { policy, problems } = pathPolicy('path', policyOptions);
  expect(problems).toEqual([]);
  const requests: Path['requests'] = [];
  const cancels: Path['cancels'] = [];
  let caller: Caller | undefined;
  let home: Host | undefined;
  const hosts = new Map<string, Host>();
  const calling: Sketch = (host) => {
    const calls = new Calls<WebReply>(host, { failed: isWebFailure });
    home = host;
    caller = new Caller({
      host,
      calls,
      service: 'api',
      policy,
      targets: targets ?? serving(Object.keys(instances).filter((id) => !spare.includes(id))),
      random: seeded(seed).fork('caller'),
    });
    return {
      message: (from, message) => {
        const web = message as unknown as WebMessage | ToProgram;
        if (web.type === 'reply') calls.settle(web.id, web);
        else if (isForCallers(web) && mayControl(from, host.self)) caller!.obey(web);
      },
      refused: (_to, message) => calls.refused((message as WebMessage).id),
      disconnected: (node) => calls.disconnected(node),
    };
  };
  const instance =
    (answer: Answering): Sketch =>
    (host) => {
      hosts.set(host.self, host);
      let count = 0;
      return {
        message(from, message) {
          const web = message as unknown as WebMessage;
          if (web.type === 'cancel') cancels.push({ node: host.self, id: web.id });
          if (web.type !== 'request') return;
          requests.push({ node: host.self, request: web, at: world.now });
          const said = answer(count++, web);
          if (!said) return;
          const { status, afterUs = 0, headers = [] } = said;
          const reply: WebReply = { type: 'reply', id: web.id, status, headers, body: null };
          if (afterUs === 0) host.after(0, () => host.send(from, reply));
          else host.cpu.hold(afterUs, () => host.send(from, reply));
        },
      };
    };
  const agent: Sketch = (host) => {
    hosts.set(host.self, host);
    return { message: () => {} };
  };
  const world = sandbox({
    seed,
    network: { connectTimeoutUs: 100_000 },
    clocks: { offsetMaxUs: 0, driftMaxPpm: 0 },
    nodes: {
      'edge/0': { web: calling, agent },
      ...Object.fromEntries(
        Object.entries(instances).map(([id, answer]) => [id, { web: instance(answer) }]),
      ),
    },
  });
  world.bootAll();
  const start: Path['start'] = (method, done, deadlineUs, headers = []) => {
    const asked = { method, url: 'http://api/', headers, body: null, ip: '20.0.0.1' };
    return caller!.call(
      asked,
      deadlineUs === undefined ? undefined : home!.now() + deadlineUs,
      done,
    );
  };
  return {
    world,
    caller: caller!,
    requests,
    cancels,
    start,
    say(from, message) {
      hosts.get(from)!.send({ node: 'edge/0', port: 'web' }, message);
      world.run(world.now + 10_000);
    },
    ask(method = 'GET', deadlineUs, headers) {
      let outcome: Outcome | undefined;
      start(
        method,
        (one) => {
          outcome = one;
        },
        deadlineUs,
        headers,
      );
      world.run(world.now + 20_000_000, () => outcome !== undefined);
      expect(outcome).toBeDefined();
      return outcome!;
    },
  };
}

/** One release with these instances. */
export function serving(nodes: readonly string[]): Targets {
  return { releases: { v1: nodes }, traffic: { v1: 1 } };
}
