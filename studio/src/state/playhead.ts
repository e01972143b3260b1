/**
 * The playhead: an instant of virtual time that moves at a chosen speed over frames that are there,
 * whatever the simulation does meanwhile. Pure; who calls it says how much real time has passed.
 */
import type { Frame, Micros } from 'loadpath/studio';

export interface Playhead {
  readonly playheadUs: Micros;
  /** Where it was last sent: what moved it since is playing. */
  readonly soughtUs: Micros;
  readonly playing: boolean;
  /** Virtual seconds a real second. */
  readonly speed: number;
  /** Stay at the newest frame: how a live run is watched. */
  readonly following: boolean;
}

export const speeds: readonly number[] = [0.25, 0.5, 1, 2, 4, 8, 16, 32];

/** What there is to play. */
export interface Extent {
  /** Begin of the first frame. */
  readonly fromUs: Micros;
  /** End of the last one. */
  readonly untilUs: Micros;
  /** No more will come, so that reaching the end ends the playing. */
  readonly over: boolean;
}

export function advance(playhead: Playhead, elapsedUs: Micros, extent: Extent): Playhead {
  const { fromUs, untilUs, over } = extent;
  const { playheadUs, playing, speed, following } = playhead;
  if (following) return moved(playhead, untilUs, playing && !over);
  // Beyond what has been simulated so far it waits, rather than jumping back to what there is.
  if (!over && playheadUs > untilUs) return playhead;
  const wantedUs = playing ? playheadUs + Math.round(elapsedUs * speed) : playheadUs;
  const atUs = Math.max(fromUs, Math.min(untilUs, wantedUs));
  return moved(playhead, atUs, playing && !(over && atUs >= untilUs));
}

/** Sent to an instant, as a change of the state. */
export function sought(atUs: Micros): Pick<Playhead, 'playheadUs' | 'soughtUs'> {
  return { playheadUs: atUs, soughtUs: atUs };
}

/** The frame that holds an instant; the last one beyond the end, none before anything came. */
export function frameAt(frames: readonly Frame[], atUs: Micros): Frame | undefined {
  return frames[frameIndexAt(frames, atUs)];
}

/** Place in the array, not `frame.index`; -1 without frames. */
export function frameIndexAt(frames: readonly Frame[], atUs: Micros): number {
  let low = 0;
  let high = frames.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    // An instant between two frames belongs to the one that it begins.
    if (frames[middle]!.fromUs <= atUs) low = middle;
    else high = middle - 1;
  }
  return high < 0 ? -1 : low;
}

const secondUs = 1_000_000;

/**
 * The last second as it is seen at an instant, and what every figure of "now" is of: the frame that
 * holds the instant, and those before it. A frame alone holds so little that its figures flicker.
 */
export function lastSecond(frames: readonly Frame[], atUs: Micros): readonly Frame[] {
  const index = frameIndexAt(frames, atUs);
  if (index < 0) return [];
  const { toUs } = frames[index]!;
  let first = index;
  while (first > 0 && toUs - frames[first - 1]!.fromUs <= secondUs) first--;
  return frames.slice(first, index + 1);
}

export function faster(speed: number): number {
  return speeds.find((one) => one > speed) ?? speed;
}

export function slower(speed: number): number {
  return speeds.findLast((one) => one < speed) ?? speed;
}

function moved(playhead: Playhead, playheadUs: Micros, playing: boolean): Playhead {
  if (playheadUs === playhead.playheadUs && playing === playhead.playing) return playhead;
  return { ...playhead, playheadUs, playing };
}
