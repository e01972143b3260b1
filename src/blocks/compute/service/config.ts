/** The knobs of a service, and the shape of a modelled one. */

import type { Micros } from '../../../host/host.ts';
import type { DirectoryPlace } from '../../../host/path.ts';
import type { TlsPlan } from '../../../host/plan.ts';
import {
  bytes,
  type ConfigOf,
  choice,
  configure,
  count,
  duration,
  type OptionsOf,
  rate,
} from '../../../kit/config.ts';
import type { Distribution } from '../../../kit/distribution.ts';
import type { Problem } from '../../../kit/errors.ts';
import type { AdaptiveLimitConfig } from '../../../parts/adaptive-limit.ts';
import { type LimiterConfig, limiterKnobs } from '../../../parts/limit/config.ts';
import { shedderKnobs } from '../../../parts/shedder.ts';
import type { PathPolicy } from '../../../path/policy.ts';
import { tlsKnobs } from '../../../path/tls.ts';

const knobsOfAll = {
  instances: count(2, {
    min: 1,
    max: 1_000,
    doc: 'How many run side by side, spread over the zones. Two, so that one may die.',
  }),
  cores: count(1, {
    min: 1,
    max: 256,
    doc: 'Cores of each instance: how much declared cpu cost it gets through at once. One, as a Node process has.',
  }),
  openMax: count(1_000, {
    min: 1,
    doc: 'Requests an instance holds at once, running and waiting. Beyond it a request is shed with 503, at once: a longer queue only makes everybody late.',
  }),
};

const knobsOfModelled = {
  slots: count(64, {
    min: 1,
    doc: 'Modelled services only: requests worked on at once by an instance; the rest wait in order.',
  }),
  holds: choice(
    ['work', 'request'],
    'Modelled services only: whether a slot is held during its own work (an event loop) or until its calls have returned too (a thread a request).',
  ),
};

export const knobs = { ...knobsOfAll, ...knobsOfModelled };

/** What becomes of `slots` and `holds` where a handler works on all that it is given. */
const unused = { slots: 64, holds: 'work' } as const;

/** A handler has no use for the knobs of a model: given all the same, they are a mistake rather than without effect. */
export function readKnobs(
  name: string,
  given: OptionsOf<typeof knobs>,
  isCode: boolean,
  besides: readonly string[],
): { readonly config: ConfigOf<typeof knobs>; readonly problems: readonly Problem[] } {
  if (!isCode) return configure(name, knobs, given, besides);
  const { slots, holds, ...rest } = given;
  const { config, problems } = configure(name, knobsOfAll, rest, besides);
  const misplaced = Object.entries({ slots, holds }).flatMap(([option, value]) =>
    value === undefined ? [] : [{ at: `${name}.${option}`, what: forModels }],
  );
  return { config: { ...config, ...unused }, problems: [...problems, ...misplaced] };
}

const forModels =
  'is for modelled services: a handler is given all requests at once; openMax and concurrency bound them';

export { tlsKnobs };

export const shedKnobs = {
  ...shedderKnobs,
  level: count(1, {
    max: 63,
    doc: 'Level of a request that does not say: a header `priority: u=0` (RFC 9218) is the most important.',
  }),
};

export type ShedConfig = ConfigOf<typeof shedKnobs>;

const { keysMax: _, ...ownLimitKnobs } = limiterKnobs;

/** Of one instance, whoever asks: there is one key. */
export const instanceLimitKnobs = {
  ...ownLimitKnobs,
  rate: rate('100/s', {
    doc: 'Requests that one instance takes: averaged over time, or in each window. The service takes as many times that as it has instances.',
  }),
  burst: count(20, {
    min: 1,
    max: 1_000_000,
    doc: 'Requests that a quiet instance takes at once, where there is no window. A fifth of a second of the rate: what it can put in its line without being late for long.',
  }),
};

export type InstanceLimit = Omit<LimiterConfig, 'keysMax'>;

export const socketsKnobs = {
  max: count(10_000, {
    min: 1,
    doc: 'Web sockets that an instance holds open; beyond it an upgrade is refused with 503. They do not count as open requests.',
  }),
  messageMax: bytes('1MB', {
    min: '1B',
    max: '10MB',
    doc: 'Largest message taken; a larger one closes the socket with 1009. At the live edge none may pass 10 MB.',
  }),
  sendMax: bytes('1MB', {
    min: '1kB',
    doc: 'What may wait here for one client that reads too slowly; beyond it the socket is closed with 1008, so that one client does not fill the memory of all.',
  }),
  ping: duration('20s', {
    min: '10ms',
    doc: 'How long a socket may be quiet before a ping; without a sign for as long again it is taken for cut off, with 1006. Below the minute after which proxies and routers forget a silent connection.',
  }),
};

export type SocketsConfig = ConfigOf<typeof socketsKnobs>;

/** What a request costs an instance: time of a core, or time that merely passes. */
export type Cost = { readonly cpu: Distribution } | { readonly wait: Distribution };

/** What a modelled service does for a request. Plain data; calls name bindings. */
export type Step =
  | { readonly do: 'call'; readonly to: string }
  | { readonly do: 'work'; readonly cost: Cost }
  | { readonly do: 'sequence'; readonly steps: readonly Step[] }
  | { readonly do: 'parallel'; readonly steps: readonly Step[] }
  | { readonly do: 'sometimes'; readonly chance: number; readonly step: Step }
  /** Its failure is not the request's failure. */
  | { readonly do: 'optional'; readonly step: Step };

export type ServiceConfig = {
  readonly instances: number;
  readonly cores: number;
  readonly openMax: number;
  readonly slots: number;
  readonly holds: 'work' | 'request';
  readonly cost: Cost | null;
  /** Null for a service with a handler. */
  readonly steps: readonly Step[] | null;
  /** Releases in order, with their share of traffic and of instances. */
  readonly traffic: Readonly<Record<string, number>>;
  /** Of the instances, in their order; 1 where none is given. */
  readonly weights?: readonly number[] | undefined;
  readonly limit?: InstanceLimit | undefined;
  readonly shed?: ShedConfig | undefined;
  readonly concurrency?: AdaptiveLimitConfig | undefined;
  /** Undefined: the defaults hold. */
  readonly sockets?: SocketsConfig | undefined;
  /** How other services call this one. */
  readonly path: PathPolicy;
  /** Where callers find it, and how long a first call waits for a list; null: in the plan. */
  readonly directory: DirectoryPlace | null;
  readonly tls: TlsPlan | null;
};

export type InstanceConfig = ServiceConfig & {
  readonly release: string;
  /** The port of the registry's half that keeps this instance listed. */
  readonly registration: string | null;
  /** How long it goes on serving when it is stopped and others take it out of the lists. */
  readonly lingerUs: Micros;
  /** Ports of the consumer programs that deliver to this instance, by binding name. */
  readonly consumes: Readonly<Record<string, string>>;
};

/** Where an instance in a mesh is called: at the proxy beside it. */
export function sidecarPort(mesh: { readonly name: string }): string {
  return `${mesh.name}.sidecar`;
}
