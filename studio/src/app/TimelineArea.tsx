/** The run in time: what is played, what happened when, what is at work now. */

import { useMemo } from 'react';
import { clockText, countText, durationText, plural } from '../parts/format.ts';
import { nextMark, previousMark } from '../state/marks.ts';
import { endUs, isGoing, lengthUs, type RunState, seedsOf } from '../state/run.ts';
import { isOutOfReach, shownRun } from '../state/store.ts';
import { useShownTheme } from '../theme/use-shown-theme.ts';
import { figuresNow } from '../timeline/now.ts';
import { Playhead } from '../timeline/Playhead.tsx';
import { type Scale, wholePixels } from '../timeline/scale.ts';
import { Timeline } from '../timeline/Timeline.tsx';
import { Transport } from '../timeline/Transport.tsx';
import {
  useActions,
  useMarks,
  useReadableSecond,
  useShownRun,
  useStudio,
  useStudioState,
} from './studio.ts';
import styles from './TimelineArea.module.css';

const noFrames = [] as const;

export function TimelineArea() {
  const actions = useActions();
  const { store } = useStudio();
  const run = useShownRun();
  const marks = useMarks();
  const theme = useShownTheme();
  const playing = useStudioState((state) => state.playing);
  const speed = useStudioState((state) => state.speed);
  const following = useStudioState((state) => state.following);
  const isLive = useStudioState((state) => state.hello?.mode === 'live');
  const hasNext = useStudioState((state) => nextMark(marks, state.playheadUs) !== undefined);
  const hasPrevious = useStudioState(
    (state) => previousMark(marks, state.playheadUs) !== undefined,
  );
  const frames = run?.frames ?? noFrames;
  const fromUs = frames[0]?.fromUs ?? 0;
  const untilUs = run ? Math.max(lengthUs(run), fromUs + 1_000_000) : 30_000_000;
  const frameUs = run?.layout?.frameUs ?? 100_000;

  function jump(find: typeof nextMark): void {
    const mark = find(marks, store.getState().playheadUs);
    if (mark) actions.seek(mark.atUs);
  }

  const playhead = useMemo(
    () => (scale: Scale) => <MovingPlayhead scale={scale} frameUs={frameUs} />,
    [frameUs],
  );
  return (
    <section className={styles.area} aria-label="Timeline">
      <div className={styles.controls}>
        <Transport
          playing={playing}
          speed={speed}
          following={isLive ? following : null}
          clock={<Clock untilUs={untilUs} />}
          now={<Now />}
          hasNext={hasNext}
          hasPrevious={hasPrevious}
          onPlay={actions.play}
          onPause={actions.pausePlaying}
          onSpeed={actions.setSpeed}
          onNext={() => jump(nextMark)}
          onPrevious={() => jump(previousMark)}
          onFollow={actions.follow}
        />
        {run && <Course run={run} />}
      </div>
      <Timeline
        fromUs={fromUs}
        untilUs={untilUs}
        knownUs={run && isGoing(run) ? endUs({ frames }) : untilUs}
        frames={frames}
        marks={marks}
        theme={theme}
        onSeek={actions.seek}
        playhead={playhead}
      />
    </section>
  );
}

const spokenStepUs = 500_000;

function MovingPlayhead({ scale, frameUs }: { readonly scale: Scale; readonly frameUs: number }) {
  const actions = useActions();
  // While it plays it moves by pixels: between two there is nothing to see, and much to compose.
  const atUs = useStudioState(({ playing, playheadUs, soughtUs }) =>
    playing ? wholePixels(scale, soughtUs, playheadUs, devicePixelRatio || 1) : playheadUs,
  );
  // In steps from where it was sent, so that it is never told to be before that.
  const spokenUs = useStudioState(({ playing, playheadUs, soughtUs }) =>
    playing
      ? soughtUs + Math.floor((playheadUs - soughtUs) / spokenStepUs) * spokenStepUs
      : playheadUs,
  );
  return (
    <Playhead
      scale={scale}
      atUs={atUs}
      spokenUs={spokenUs}
      frameUs={frameUs}
      onSeek={actions.seek}
    />
  );
}

function Clock({ untilUs }: { readonly untilUs: number }) {
  const tenths = useStudioState((state) => Math.floor(state.playheadUs / 100_000));
  return (
    <span className={styles.clock}>
      {clockText(tenths * 100_000)}{' '}
      <span className={styles.whole}>/ {clockText(untilUs, false)}</span>
    </span>
  );
}

/** More faults at once than there is room for are counted. */
const namedMax = 3;

/** Figures of the last second before the playhead, and the faults at work at it. */
function Now() {
  const second = useReadableSecond();
  const figures = useMemo(() => figuresNow(second), [second]);
  const marks = useMarks();
  const atWork = useStudioState((state) =>
    marks
      .filter(
        (mark) =>
          mark.type === 'fault' &&
          mark.atUs <= state.playheadUs &&
          state.playheadUs < (mark.untilUs ?? 0),
      )
      .map((mark) => mark.text)
      .join('\n'),
  );
  const active = atWork === '' ? [] : [...new Set(atWork.split('\n'))];
  if (second.length === 0) return null;
  const { completedPerSec, errorsPerSec, p99Us } = figures;
  return (
    <>
      <span className={styles.figure}>
        <i className={styles.answered} /> {countText(completedPerSec)}/s answered
      </span>
      <span className={`${styles.figure} ${errorsPerSec > 0 ? styles.hasFailed : ''}`}>
        <i className={styles.failed} /> {countText(errorsPerSec)}/s failed
      </span>
      <span className={styles.figure}>
        <i className={styles.p99} /> p99 {p99Us === 0 ? '–' : durationText(p99Us)}
      </span>
      {active.slice(0, namedMax).map((text) => (
        <span key={text} className={styles.fault}>
          {text}
        </span>
      ))}
      {active.length > namedMax && (
        <span className={styles.more}>and {plural(active.length - namedMax, 'more fault')}</span>
      )}
    </>
  );
}

/** How the simulation itself is doing, apart from what is played. */
function Course({ run }: { readonly run: RunState }) {
  const startedAt = useStudioState((state) => shownRun(state)?.startedAtMs);
  const isLive = useStudioState((state) => state.hello?.mode === 'live');
  const isAlone = useStudioState(isOutOfReach);
  if (!isGoing(run) || run.layout?.forUs === null) {
    const { report } = run;
    if (report?.world !== 'simulated') return null;
    const times = report.wallSeconds > 0 ? report.simulatedSeconds / report.wallSeconds : 0;
    return (
      <span className={styles.course}>
        {report.simulatedSeconds} s simulated in {report.wallSeconds.toFixed(1)} s (
        {countText(times)}× real time)
      </span>
    );
  }
  const seeds = seedsOf(run);
  const seed = seeds.count > 1 ? `seed ${run.request?.seed}` : '';
  if (run.report && seeds.count > 1 && !isAlone) {
    return (
      <span className={styles.course}>
        {seed} is shown, {plural(seeds.count - seeds.done, 'other')} still to come
      </span>
    );
  }
  const at = run.progress?.at ?? 0;
  const reached = `${clockText(Math.max(0, at), false)} of ${clockText(lengthUs(run), false)}`;
  if (isAlone) return <span className={styles.course}>contact lost at {reached}</span>;
  const seconds = startedAt === undefined ? 0 : (Date.now() - startedAt) / 1_000;
  const times = seconds > 0.5 && at > 0 ? ` · ${countText(at / 1e6 / seconds)}× real time` : '';
  return (
    <span className={styles.course}>
      {seed !== '' && `${seed}: `}
      {run.state === 'paused'
        ? 'paused at'
        : (phaseText(run.progress?.phase) ?? (isLive ? 'at' : 'simulating'))}{' '}
      {reached}
      {run.state === 'paused' ? '' : times}
    </span>
  );
}

function phaseText(phase: string | undefined): string | undefined {
  return phase === undefined || phase === 'load' ? undefined : `${phase},`;
}
