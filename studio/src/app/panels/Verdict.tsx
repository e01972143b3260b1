import { type Comparison, compareReports } from 'loadpath/studio';
import { lazy, Suspense, useMemo } from 'react';
import { Empty } from '../../parts/Empty.tsx';
import { commandOf } from '../../state/form.ts';
import { isGoing, lengthUs, seedsOf } from '../../state/run.ts';
import { baselineRun, isOutOfReach } from '../../state/store.ts';
import { Underway } from '../../verdicts/Underway.tsx';
import { VerdictPanel } from '../../verdicts/VerdictPanel.tsx';
import { useActions, useMarks, useShownRun, useStudioState } from '../studio.ts';

const changesMax = 5;

const CounterexampleView = lazy(async () => {
  const { CounterexampleView } = await import('../../counterexample/CounterexampleView.tsx');
  return { default: CounterexampleView };
});

/** What was done otherwise comes first: without it, less load would look like less throughput. */
function againstText({ cautions, sentences }: Comparison): readonly string[] {
  return [...cautions, ...sentences.slice(0, changesMax)];
}

export function Verdict() {
  const actions = useActions();
  const run = useShownRun();
  const before = useStudioState(baselineRun);
  const path = useStudioState((state) => state.design?.path ?? '');
  const targets = useStudioState((state) => state.design?.objectives);
  const invariants = useStudioState((state) => state.design?.invariants);
  const isAlone = useStudioState(isOutOfReach);
  const marks = useMarks();
  const report = run?.report ?? null;
  const changes = useMemo(
    () => (report && before?.report ? againstText(compareReports(before.report, report)) : []),
    [report, before?.report],
  );
  if (!run) {
    return (
      <Empty icon="verdict" title="Nothing was run yet">
        Press Run, or R: the verdict stands here when the run has ended.
      </Empty>
    );
  }
  if (!report) {
    return (
      <Underway
        run={run}
        targets={targets ?? {}}
        invariants={invariants ?? []}
        marks={marks}
        isOutOfReach={isAlone}
        onSeek={actions.seek}
      />
    );
  }
  const request = run.request ?? { seed: report.seed, faults: [], ownFaults: true, set: {} };
  const seeds = seedsOf(run);
  const replayCommand = commandOf({ ...request, forUs: run.layout?.forUs ?? lengthUs(run) }, path);
  return (
    <VerdictPanel
      report={report}
      summary={run.summary}
      marks={marks}
      changes={changes}
      isStopped={run.state === 'stopped'}
      seedsLeft={isGoing(run) ? seeds.count - seeds.done : 0}
      replayCommand={replayCommand}
      onSeek={actions.seek}
      onCompare={() => actions.setPanel('compare')}
      drawEvidence={(evidence) => (
        <Suspense>
          <CounterexampleView evidence={evidence} events={run.events} onSeek={actions.seek} />
        </Suspense>
      )}
    />
  );
}
