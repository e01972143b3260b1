/** Play, pause, speed, the next and the previous event; what is at work at the playhead. */
import type { ReactNode } from 'react';
import { Button, IconButton } from '../parts/Button.tsx';
import { MenuButton } from '../parts/Menu.tsx';
import { speeds } from '../state/playhead.ts';
import styles from './Transport.module.css';

export interface TransportProps {
  readonly playing: boolean;
  readonly speed: number;
  /** Set for a run that goes on by itself: whether the newest is shown. */
  readonly following: boolean | null;
  readonly clock: ReactNode;
  readonly now: ReactNode;
  readonly hasPrevious: boolean;
  readonly hasNext: boolean;
  readonly onPlay: () => void;
  readonly onPause: () => void;
  readonly onSpeed: (speed: number) => void;
  readonly onPrevious: () => void;
  readonly onNext: () => void;
  readonly onFollow: () => void;
}

export function Transport(props: TransportProps) {
  const { playing, speed, following } = props;
  return (
    <div className={styles.transport}>
      <IconButton
        icon="previous"
        label="Previous event"
        tip="Back to the event before: a fault, a crash, an objective missed"
        shortcut="["
        disabled={!props.hasPrevious}
        onPress={props.onPrevious}
      />
      <IconButton
        icon={playing ? 'pause' : 'play'}
        label={playing ? 'Pause playing' : 'Play'}
        tip={playing ? 'Pause playing; the simulation goes on' : 'Play from here'}
        shortcut="Space"
        tone="plain"
        onPress={playing ? props.onPause : props.onPlay}
      />
      <IconButton
        icon="next"
        label="Next event"
        tip="On to the next event: a fault, a crash, an objective missed"
        shortcut="]"
        disabled={!props.hasNext}
        onPress={props.onNext}
      />
      {props.clock}
      {following === null ? (
        <MenuButton
          label="Speed"
          tone="quiet"
          small
          tip="How fast virtual time is played"
          items={speeds.map((one) => ({
            label: `${one}×`,
            detail: one === 1 ? 'as fast as real time' : undefined,
            checked: one === speed,
            onPress: () => props.onSpeed(one),
          }))}
        >
          {speed}×
        </MenuButton>
      ) : (
        <Button
          small
          tone="quiet"
          icon="live"
          pressed={following}
          tip="Stay at what happens now"
          shortcut="End"
          onPress={props.onFollow}
        >
          Now
        </Button>
      )}
      <div className={styles.now}>{props.now}</div>
    </div>
  );
}
