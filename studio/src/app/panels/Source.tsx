import { SourcePanel } from '../../source/SourcePanel.tsx';
import { useStudio, useStudioState } from '../studio.ts';

export default function Source() {
  const { client } = useStudio();
  const design = useStudioState((state) => state.design);
  const place = useStudioState((state) => state.place);
  if (!design) return null;
  return (
    <SourcePanel
      files={design.sources}
      problems={design.problems}
      revision={design.revision}
      place={place}
      load={client.source}
    />
  );
}
