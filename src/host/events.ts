/** What a run says while it runs, for progress lines, the timeline and Studio. The same in both worlds. */
import type { Micros, NodeId } from './host.ts';

/** In their order; without a warm-up that was asked for there is none. */
export type Phase = 'setup' | 'warm-up' | 'load' | 'heal' | 'drain' | 'judge';

export type RunEvent =
  | { readonly type: 'phase'; readonly at: Micros; readonly phase: Phase }
  | {
      readonly type: 'fault';
      readonly at: Micros;
      /** Without its times; two at work at once may read the same. */
      readonly text: string;
      readonly began: boolean;
      /** Its number in the run: an end bears that of its beginning. Reports saved earlier have none. */
      readonly id?: number | undefined;
    }
  | { readonly type: 'boot'; readonly at: Micros; readonly node: NodeId; readonly life: number }
  | {
      readonly type: 'crash';
      readonly at: Micros;
      readonly node: NodeId;
      readonly why: string;
      /** It was stopped for good, and never comes back. */
      readonly gone?: true;
    }
  | {
      readonly type: 'note';
      readonly at: Micros;
      readonly node: NodeId;
      readonly text: string;
      /** Data is damaged or lost: told to whoever runs the system, and in the report. */
      readonly isAlarm?: true;
    }
  | {
      readonly type: 'log';
      readonly at: Micros;
      readonly node: NodeId;
      readonly level: 'log' | 'warn' | 'error';
      readonly text: string;
    };
