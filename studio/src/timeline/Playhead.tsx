/** The instant that the page shows: a line over the track, and a slider to the keyboard. */
import type { Micros } from 'loadpath/studio';
import { clockText } from '../parts/format.ts';
import { type Scale, xOf } from './scale.ts';
import styles from './Timeline.module.css';

export interface PlayheadProps {
  readonly scale: Scale;
  readonly atUs: Micros;
  readonly frameUs: Micros;
  readonly onSeek: (us: Micros) => void;
}

export function Playhead({ scale, atUs, frameUs, onSeek }: PlayheadProps) {
  const steps: Readonly<Record<string, Micros>> = {
    ArrowLeft: -Math.max(frameUs, 100_000),
    ArrowDown: -Math.max(frameUs, 100_000),
    ArrowRight: Math.max(frameUs, 100_000),
    ArrowUp: Math.max(frameUs, 100_000),
    PageDown: -5_000_000,
    PageUp: 5_000_000,
    Home: scale.fromUs - atUs,
    End: scale.untilUs - atUs,
  };
  return (
    <div
      role="slider"
      tabIndex={0}
      aria-label="Playhead"
      aria-valuemin={scale.fromUs / 1e6}
      aria-valuemax={scale.untilUs / 1e6}
      aria-valuenow={atUs / 1e6}
      aria-valuetext={`${clockText(atUs)} of ${clockText(scale.untilUs)}`}
      className={styles.playhead}
      style={{ transform: `translateX(${xOf(scale, atUs)}px)` }}
      onKeyDown={(event) => {
        const step = steps[event.key];
        if (step === undefined) return;
        event.preventDefault();
        event.stopPropagation();
        onSeek(atUs + step * (event.shiftKey ? 10 : 1));
      }}
    >
      <span className={styles.handle} />
    </div>
  );
}
