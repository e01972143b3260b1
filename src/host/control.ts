/**
 * What the run itself says to programs, and what they say back. It arrives as an ordinary message
 * from `{ node: 'control', port: 'control' }`; what a program sends there reaches the run.
 */
import type { Address, Micros, Value } from './host.ts';

export const control: Address = { node: 'control', port: 'control' };

export type ToProgram =
  /** Users: prepare (preload), then say `ready`. */
  | { readonly type: 'prepare' }
  /** Users: start the load; its time zero is now. */
  | { readonly type: 'begin'; readonly forUs: Micros }
  /** Users: no new requests. Say `quiet` once none is in flight. */
  | { readonly type: 'stop' }
  /** Users: the arrival rate is multiplied by this from now on. */
  | { readonly type: 'surge'; readonly factor: number }
  /** Callers of a service: its traffic split changes. */
  | {
      readonly type: 'shift';
      readonly service: string;
      readonly traffic: Readonly<Record<string, number>>;
    };

export type FromProgram =
  | { readonly type: 'ready'; readonly failure?: string | undefined; readonly value?: Value }
  | { readonly type: 'quiet' };
