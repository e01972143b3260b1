import { CompareView } from '../../compare/CompareView.tsx';
import { baselineRun, canRun } from '../../state/store.ts';
import { useShownTheme } from '../../theme/use-shown-theme.ts';
import { useActions, useShownRun, useStudioState } from '../studio.ts';

const stepUs = 100_000;

export default function Compare() {
  const actions = useActions();
  const runs = useStudioState((state) => state.runs);
  const shown = useShownRun();
  const baseline = useStudioState(baselineRun);
  const playheadUs = useStudioState((state) => Math.floor(state.playheadUs / stepUs) * stepUs);
  const isReady = useStudioState(canRun);
  const theme = useShownTheme();
  return (
    <CompareView
      runs={[...runs.values()].reverse()}
      baseline={baseline}
      shown={shown}
      playheadUs={playheadUs}
      theme={theme}
      onBaseline={actions.compareWith}
      onShow={actions.show}
      onSeek={actions.seek}
      onReplicate={isReady ? () => void actions.replicate() : undefined}
    />
  );
}
