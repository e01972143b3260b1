/** The knobs of a mesh. */
import type { BesideInstance } from '../../../host/declaration.ts';
import { type ConfigOf, choice, count, duration, ratio } from '../../../kit/config.ts';
import type { FetcherConfig } from '../../../path/caller.ts';

export const knobs = {
  sync: duration('1s', {
    min: '10ms',
    doc: 'How often a sidecar asks the control plane for news and tells it what it counted. A change takes as long to arrive.',
  }),
  cost: duration('20us', {
    max: '1min',
    doc: 'Processor time that a request takes in a sidecar when simulated. Each call passes two of them.',
  }),
  stageShare: ratio(0.25, {
    min: 0.01,
    doc: 'The share of sidecars that get a new version first. A quarter: enough calls to judge by, few enough to bear.',
  }),
  stageFor: duration('10s', {
    min: '0ms',
    doc: 'How long a new version is watched there before all get it; 0ms: all at once.',
  }),
  errorsMax: ratio(0.05, {
    doc: 'Taken back when calls fail so much more often under the new version than under the old.',
  }),
  volumeMin: count(50, { min: 1, doc: 'Calls under the new version before it is judged.' }),
  identity: choice(
    ['none', 'required'],
    'Whether sidecars prove which service they stand beside. required: calls between sidecars without a valid identity are refused, and callers without a sidecar (gateways) where `allow` does not name them.',
  ),
  identityFor: duration('1h', {
    min: '1s',
    doc: 'How long an identity holds. It is renewed at about half of that, so the control plane may be away for the other half.',
  }),
  versionsMax: count(20, { min: 2, doc: 'Versions kept to go back to.' }),
};

export type MeshConfig = ConfigOf<typeof knobs> & {
  /** Who may call a service, by name; one that is not named may be called by every service of the mesh. */
  readonly allow: Readonly<Record<string, readonly string[]>>;
};

export type ControlConfig = MeshConfig & { readonly name: string };

/** Of one sidecar. */
export type SidecarConfig = MeshConfig &
  Omit<BesideInstance, 'routes'> & {
    /** Of the mesh. */
    readonly name: string;
    /** Where the control plane is. */
    readonly control: string;
    /** Whom the service calls through the mesh, and how, unless the control plane says otherwise. */
    readonly routes: Readonly<Record<string, FetcherConfig>>;
  };

export type MeshClientConfig = {
  readonly name: string;
  readonly control: string;
  /** Who is in the mesh, and the releases of each. */
  readonly services: Readonly<Record<string, readonly string[]>>;
};

/** The port of the control plane. */
export const controlPort = 'mesh';
