/** The instant that the page shows: a line over the track, and a slider to the keyboard. */
import type { Micros } from 'loadpath/studio';
import { useLayoutEffect, useRef } from 'react';
import { clockText } from '../parts/format.ts';
import type { Scale } from './scale.ts';
import styles from './Timeline.module.css';

export interface PlayheadProps {
  readonly scale: Scale;
  readonly atUs: Micros;
  /** The same as it is read out: nobody listens to sixty instants a second. */
  readonly spokenUs: Micros;
  readonly frameUs: Micros;
  readonly onSeek: (us: Micros) => void;
}

export function Playhead({ scale, atUs, spokenUs, frameUs, onSeek }: PlayheadProps) {
  const line = useRef<HTMLDivElement>(null);
  useMotion(line, scale, atUs);
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
      ref={line}
      role="slider"
      tabIndex={0}
      aria-label="Playhead"
      aria-valuemin={scale.fromUs / 1e6}
      aria-valuemax={scale.untilUs / 1e6}
      aria-valuenow={spokenUs / 1e6}
      aria-valuetext={`${clockText(spokenUs)} of ${clockText(scale.untilUs)}`}
      className={styles.playhead}
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

/**
 * Moves it by an animation that stands still at the instant shown: a browser then only composes
 * its layers anew, where a style that changes makes it look at every layer of the page.
 */
function useMotion(
  line: { readonly current: HTMLDivElement | null },
  { fromUs, untilUs, width }: Scale,
  atUs: Micros,
): void {
  const motion = useRef<Animation | undefined>(undefined);
  useLayoutEffect(() => {
    const moved = line.current?.animate(
      [{ transform: 'translateX(0)' }, { transform: `translateX(${width}px)` }],
      { duration: (untilUs - fromUs) / 1_000, fill: 'both' },
    );
    moved?.pause();
    motion.current = moved;
    return () => moved?.cancel();
  }, [line, fromUs, untilUs, width]);
  useLayoutEffect(() => {
    if (motion.current) motion.current.currentTime = (atUs - fromUs) / 1_000;
  }, [fromUs, untilUs, width, atUs]);
}
