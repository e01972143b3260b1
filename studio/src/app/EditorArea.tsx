/** The drawing board of a design of data, with the server behind it. */
import type { JsonDesign } from 'loadpath/studio';
import { useCallback, useMemo, useState } from 'react';
import { optionsIn } from '../editor/board.ts';
import { EditorView, type OptionsFormProps } from '../editor/EditorView.tsx';
import { KnobForm } from '../inspect/KnobForm.tsx';
import type { OptionValue } from '../state/edits.ts';
import { type Kept, keptOf } from '../state/kept.ts';
import { useStudio, useStudioState } from './studio.ts';

const noPalette = [] as const;
const noEdits = {};
/** Of these the drawing board has forms of its own. */
const ownForms: ReadonlySet<string> = new Set(['cost', 'latency', 'calls', 'routes']);

export default function EditorArea({ design }: { readonly design: JsonDesign }) {
  const { client, store } = useStudio();
  const palette = useStudioState((state) => state.hello?.palette ?? noPalette);
  const [first] = useState(() => keptOf(design));
  const kept = useStudioState((state) => state.board ?? first);
  const keep = useCallback(
    (to: (former: Kept) => Kept) => store.setState(({ board }) => ({ board: to(board ?? first) })),
    [store, first],
  );
  return (
    <EditorView
      design={design}
      kept={kept}
      onKept={keep}
      palette={palette}
      check={client.checkDesign}
      save={client.saveDesign}
      typescript={client.typescript}
      optionsForm={(props) => <Options {...props} />}
    />
  );
}

function Options({ block, kind, options, problems, onOption }: OptionsFormProps) {
  const palette = useStudioState((state) => state.hello?.palette ?? noPalette);
  const knobs = useMemo(
    () =>
      (palette.find((each) => each.kind === kind)?.knobs ?? noPalette).filter(
        ({ name }) => !ownForms.has(name),
      ),
    [palette, kind],
  );
  const values = useMemo(() => {
    const presets = knobs.flatMap(({ name, preset }) => (preset === null ? [] : [[name, preset]]));
    const own = optionsIn(options).filter(
      ([name, value]) => !ownForms.has(name) && typeof value !== 'object',
    );
    return Object.fromEntries([...presets, ...own]) as Record<string, OptionValue>;
  }, [knobs, options]);
  return (
    <KnobForm
      block={block}
      knobs={knobs}
      options={values}
      edits={noEdits}
      problems={problems}
      canEdit
      canRun
      isLive
      onEdit={(key, value) => {
        const option = key.slice(block.length + 1);
        const preset = knobs.find(({ name }) => name === option)?.preset;
        onOption(option, value === null || value === preset ? undefined : value);
      }}
      onRun={() => {}}
    />
  );
}
