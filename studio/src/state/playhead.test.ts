import { describe, expect, test } from 'vitest';
import { frames } from './fixture.ts';
import { advance, faster, frameAt, frameIndexAt, lastSecond, slower } from './playhead.ts';

const playhead = {
  playheadUs: 1_000_000,
  soughtUs: 1_000_000,
  playing: true,
  speed: 4,
  following: false,
};
const going = { fromUs: 0, untilUs: 10_000_000, over: false };

describe('the playhead', () => {
  test('moves by its speed', () => {
    expect(advance(playhead, 16_000, going).playheadUs).toBe(1_064_000);
    expect(advance({ ...playhead, playing: false }, 16_000, going).playheadUs).toBe(1_000_000);
  });

  test('waits at the end of a run that goes on, stops at the end of one that is over', () => {
    const late = { ...playhead, playheadUs: 9_990_000 };
    expect(advance(late, 16_000, going)).toMatchObject({ playheadUs: 10_000_000, playing: true });
    const over = { ...going, over: true };
    expect(advance(late, 16_000, over)).toMatchObject({ playheadUs: 10_000_000, playing: false });
  });

  test('does not jump back when a repeated run has not come that far yet', () => {
    const ahead = { ...playhead, playheadUs: 20_000_000 };
    expect(advance(ahead, 16_000, going)).toBe(ahead);
  });

  test('follows a live run, and stays within what is still kept of it', () => {
    const live = { ...playhead, following: true };
    expect(advance(live, 16_000, going).playheadUs).toBe(10_000_000);
    const forgotten = { fromUs: 5_000_000, untilUs: 10_000_000, over: false };
    expect(advance({ ...playhead, playing: false }, 16_000, forgotten).playheadUs).toBe(5_000_000);
  });

  test('nothing moved is the same object, so that nothing is drawn', () => {
    const still = { ...playhead, playing: false };
    expect(advance(still, 16_000, going)).toBe(still);
  });
});

describe('the frame at an instant', () => {
  const all = frames(20);

  test('is the one that the instant falls into or begins', () => {
    expect(frameAt(all, 0)!.index).toBe(0);
    expect(frameAt(all, 99_999)!.index).toBe(0);
    expect(frameAt(all, 100_000)!.index).toBe(1);
    expect(frameAt(all, 5_000_000)!.index).toBe(19);
  });

  test('is none before there are any', () => {
    expect(frameIndexAt([], 0)).toBe(-1);
    expect(frameAt([], 0)).toBeUndefined();
  });
});

describe('the last second', () => {
  const all = frames(20);

  test('ends with the frame at the instant, whatever was shown before', () => {
    const indexes = (atUs: number) => lastSecond(all, atUs).map(({ index }) => index);
    expect(indexes(1_450_000)).toEqual([5, 6, 7, 8, 9, 10, 11, 12, 13, 14]);
    expect(indexes(150_000)).toEqual([0, 1]);
    expect(indexes(9_000_000)[0]).toBe(10);
    expect(lastSecond([], 0)).toEqual([]);
  });

  test('is one frame where frames are longer', () => {
    const long = all.map((one, index) => ({
      ...one,
      fromUs: index * 1_500_000,
      toUs: (index + 1) * 1_500_000,
    }));
    expect(lastSecond(long, 4_600_000).map(({ index }) => index)).toEqual([3]);
  });
});

test('speeds have ends', () => {
  expect(faster(1)).toBe(2);
  expect(faster(32)).toBe(32);
  expect(slower(0.25)).toBe(0.25);
});
