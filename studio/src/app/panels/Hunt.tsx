import { HuntPanel } from '../../hunt/HuntPanel.tsx';
import { useActions, useStudioState } from '../studio.ts';

export default function Hunt() {
  const actions = useActions();
  const design = useStudioState((state) => state.design);
  const hunt = useStudioState((state) => state.hunt);
  const isReady = useStudioState(
    ({ connection }) => connection === 'open' && design?.problems.length === 0,
  );
  if (!design) return null;
  return (
    <HuntPanel
      design={design}
      hunt={hunt}
      canStart={isReady}
      onStart={(request) => void actions.startHunt(request)}
      onStop={() => void actions.stopHunt()}
      onTake={(finding) => void actions.takeFinding(finding)}
    />
  );
}
