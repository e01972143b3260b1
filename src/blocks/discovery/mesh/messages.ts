/** What sidecars, the control plane and those who change it say to each other. */
import type { SeedKey } from '../../../host/crypto.ts';
import type { Micros } from '../../../host/host.ts';
import type { MeshChange, MeshState, Pair } from './versions.ts';

export type MeshMessage =
  /** A sidecar: which version it has, and what it counted by service since it last asked. */
  | {
      readonly type: 'sync';
      readonly service: string;
      readonly version: number;
      readonly pairs: Readonly<Record<string, Pair>>;
    }
  /** To a sidecar whose version is another: everything that holds. */
  | { readonly type: 'version'; readonly version: number; readonly change: MeshChange }
  /** A sidecar asks who it is: the control plane sees at whose node it stands. */
  | { readonly type: 'identify' }
  | {
      readonly type: 'identity';
      /** As requests show it. */
      readonly identity: string;
      /** By the wall clock. */
      readonly until: Micros;
      /** What it is signed with, and those of all others. */
      readonly key: SeedKey;
    }
  | { readonly type: 'apply'; readonly id: number; readonly change: MeshChange }
  | { readonly type: 'roll-back'; readonly id: number }
  | { readonly type: 'ask-state'; readonly id: number }
  | { readonly type: 'state'; readonly id: number; readonly state: MeshState }
  /** The control plane's disk is full or fails: nothing was changed. */
  | { readonly type: 'refusal'; readonly id: number; readonly why: string };

export type MeshReply = Extract<MeshMessage, { readonly type: 'state' | 'refusal' }>;

export function describe(message: MeshMessage): string {
  switch (message.type) {
    case 'sync':
      return `sync version=${message.version}`;
    case 'version':
      return `version ${message.version}: ${Object.keys(message.change).join(', ') || 'as declared'}`;
    case 'identify':
      return 'identify';
    case 'identity':
      return `identity ${message.identity.split(' ', 1)[0]}`;
    case 'apply':
      return `apply #${message.id} ${Object.keys(message.change).join(', ')}`;
    case 'state':
      return `state #${message.id} version=${message.state.version}`;
    case 'refusal':
      return `refusal #${message.id} ${message.why}`;
    default:
      return `${message.type} #${message.id}`;
  }
}

export function isMesh(message: { readonly type: string }): message is MeshMessage {
  return types.has(message.type);
}

const types: ReadonlySet<string> = new Set<MeshMessage['type']>([
  'sync',
  'version',
  'identify',
  'identity',
  'apply',
  'roll-back',
  'ask-state',
  'state',
  'refusal',
]);
