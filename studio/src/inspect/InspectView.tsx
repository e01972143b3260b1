/** What is selected: how it is, what happened to it, what it can be set to. */
import type {
  Frame,
  FrameLayout,
  PaletteBlock,
  ProblemView,
  Report,
  RunEvent,
  StructuralView,
} from 'loadpath/studio';
import { useMemo } from 'react';
import { Columns } from '../parts/Columns.tsx';
import { Empty } from '../parts/Empty.tsx';
import { clockText } from '../parts/format.ts';
import { Spark } from '../parts/Spark.tsx';
import { useSlowly } from '../parts/use-slowly.ts';
import type { Edits, Options, OptionValue } from '../state/edits.ts';
import { frameAt, lastSecond } from '../state/playhead.ts';
import { blockOf, pathEnds, type Selection, titleOf } from '../state/selection.ts';
import { figuresOf, nodeIndexes, nodeRows, pathIndexes, pathStates, stateOf } from './figures.ts';
import styles from './InspectView.module.css';
import { KnobForm } from './KnobForm.tsx';
import { policyInWords } from './policy.ts';
import { type StoryLine, storyOf } from './story.ts';

export interface InspectViewProps {
  readonly selection: Selection | null;
  readonly design: StructuralView;
  readonly palette: readonly PaletteBlock[];
  readonly layout: FrameLayout | null;
  readonly frames: readonly Frame[];
  readonly events: readonly RunEvent[];
  readonly report: Report | null;
  readonly playheadUs: number;
  readonly options: Options;
  readonly edits: Edits;
  /** What the server said of the last request to run. */
  readonly problems: readonly ProblemView[];
  /** A live system and a finished report cannot be run with other options. */
  readonly canEdit: boolean;
  readonly canRun: boolean;
  readonly onEdit: (key: string, value: OptionValue | null) => void;
  readonly onRun: () => void;
  readonly onSelect: (selection: Selection) => void;
  readonly onSeek: (us: number) => void;
}

/** Figures change with every frame that is played; nobody reads faster than this. */
const refreshMs = 150;

export function InspectView(props: InspectViewProps) {
  const { selection, design, palette, options } = props;
  if (!selection) {
    return (
      <Empty icon="inspect" title="Nothing is selected">
        Click a node, a block, a zone or a path in the graph to see its figures, its story and its
        options.
      </Empty>
    );
  }
  const name = blockOf(selection, design);
  const block = design.blocks.find((one) => one.name === name);
  const kind = palette.find((one) => one.kind === block?.kind);
  const isForm =
    block &&
    (selection.type === 'block' || selection.type === 'node' || selection.type === 'users');
  return (
    <div className={styles.view}>
      <header className={styles.head}>
        <h2>{titleOf(selection)}</h2>
        <p>{about(selection, design)}</p>
      </header>
      {props.layout && <Now {...props} selection={selection} layout={props.layout} />}
      <Policies selection={selection} design={design} />
      {isForm && block && (
        <KnobForm
          key={block.name}
          block={block.name}
          knobs={kind?.knobs ?? []}
          options={options[block.name] ?? {}}
          edits={props.edits}
          problems={props.problems}
          canEdit={props.canEdit}
          canRun={props.canRun}
          onEdit={props.onEdit}
          onRun={props.onRun}
        />
      )}
    </div>
  );
}

function Now(
  props: InspectViewProps & { readonly selection: Selection; readonly layout: FrameLayout },
) {
  const { selection, layout, events, report, onSelect, onSeek } = props;
  const frames = useSlowly(props.frames, refreshMs);
  const playheadUs = useSlowly(props.playheadUs, refreshMs);
  // The whole run is added up once, not for every step of the playhead.
  const overall = useMemo(
    () => figuresOf(selection, layout, frames, 0, report),
    [selection, layout, frames, report],
  );
  const recent = figuresOf(selection, layout, lastSecond(frames, playheadUs), playheadUs, null);
  const figures = overall.map((figure, i) => ({ ...figure, now: recent[i]!.now }));
  const frame = frameAt(frames, playheadUs);
  const story = useMemo(() => storyOf(selection, layout, events), [selection, layout, events]);
  const nodes = selection.type === 'path' ? [] : nodeIndexes(layout, selection);
  return (
    <>
      {selection.type === 'node' && nodes[0] !== undefined && (
        <p className={styles.state} data-state={frame?.nodes.state[nodes[0]]}>
          {stateOf(frame, nodes[0])} at {clockText(playheadUs)}
        </p>
      )}
      <table className={styles.figures}>
        <thead>
          <tr>
            <th scope="col">
              <span className="unseen">figure</span>
            </th>
            <th scope="col" data-tip="Over the last second before the playhead">
              now
            </th>
            <th scope="col" data-tip="Over all that has been run so far">
              whole run
            </th>
            <th scope="col">
              <span className="unseen">course</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {figures.map((figure) => (
            <tr key={figure.name}>
              <th scope="row">{figure.name}</th>
              <td>{figure.now}</td>
              <td>{figure.over}</td>
              <td>
                <Spark values={figure.history} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {selection.type !== 'node' && nodes.length > 0 && selection.type !== 'users' && (
        <NodeTable rows={nodeRows(layout, nodes, frame)} onSelect={onSelect} />
      )}
      {selection.type === 'path' && (
        <PathTable
          rows={pathStates(layout, pathIndexes(layout, selection), frame)}
          onSelect={onSelect}
        />
      )}
      <Story lines={story} playheadUs={playheadUs} onSeek={onSeek} />
    </>
  );
}

/** More rows than these are found faster in the graph. */
const rowsMax = 60;

function NodeTable({
  rows,
  onSelect,
}: {
  readonly rows: ReturnType<typeof nodeRows>;
  readonly onSelect: (selection: Selection) => void;
}) {
  return (
    <section>
      <h3>Nodes</h3>
      <div className={styles.scroll}>
        <table className={styles.rows}>
          <Columns of={['node', 'zone', 'state', 'requests', 'busy', 'p99']} />
          <tbody>
            {rows.slice(0, rowsMax).map((row) => (
              <tr key={row.id} data-down={row.state === 'down' || undefined}>
                <th scope="row">
                  <button
                    type="button"
                    className={styles.link}
                    onClick={() => onSelect({ type: 'node', id: row.id })}
                  >
                    {row.id}
                  </button>
                </th>
                <td>{row.zone}</td>
                <td>{row.state}</td>
                <td>{row.requests}</td>
                <td>{row.busy}</td>
                <td>{row.p99}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {rows.length > rowsMax && <p>{rows.length - rowsMax} more: choose them in the graph.</p>}
    </section>
  );
}

function PathTable({
  rows,
  onSelect,
}: {
  readonly rows: ReturnType<typeof pathStates>;
  readonly onSelect: (selection: Selection) => void;
}) {
  return (
    <section>
      <h3>By caller</h3>
      <div className={styles.scroll}>
        <table className={styles.rows}>
          <Columns of={['from', 'state', 'calls', 'failed', 'p99']} />
          <tbody>
            {rows.map((row) => (
              <tr key={row.from} data-down={row.state === 'cut' || undefined}>
                <th scope="row">
                  <button
                    type="button"
                    className={styles.link}
                    onClick={() => onSelect({ type: 'node', id: row.from })}
                  >
                    {row.from}
                  </button>
                </th>
                <td>{row.state}</td>
                <td>{row.calls}</td>
                <td>{row.errors}</td>
                <td>{row.p99}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function Story({
  lines,
  playheadUs,
  onSeek,
}: {
  readonly lines: readonly StoryLine[];
  readonly playheadUs: number;
  readonly onSeek: (us: number) => void;
}) {
  if (lines.length === 0) return null;
  return (
    <section>
      <h3>What happened</h3>
      <ol className={styles.story}>
        {lines.map((line, i) => (
          <li key={i} data-tone={line.tone} data-ahead={line.atUs > playheadUs || undefined}>
            <button
              type="button"
              data-tip="Move the playhead there"
              onClick={() => onSeek(line.atUs)}
            >
              <span>{clockText(line.atUs)}</span>
              {line.text}
            </button>
          </li>
        ))}
      </ol>
    </section>
  );
}

function Policies({
  selection,
  design,
}: {
  readonly selection: Selection;
  readonly design: StructuralView;
}) {
  const calls = callsOf(selection, design);
  if (calls.length === 0) return null;
  return (
    <section>
      <h3>{selection.type === 'path' ? 'Policy of this path' : 'Calls, and under which policy'}</h3>
      {calls.map((call) => (
        <div key={`${call.from} ${call.to} ${call.as}`} className={styles.policy}>
          {selection.type !== 'path' && (
            <h4>
              {call.from} → {call.to} <span>as {call.as}</span>
            </h4>
          )}
          <ul>
            {policyInWords(call).map((sentence) => (
              <li key={sentence}>{sentence}</li>
            ))}
          </ul>
        </div>
      ))}
    </section>
  );
}

/** Of a path its own policy; of a block what it calls. */
function callsOf(selection: Selection, design: StructuralView) {
  const name = blockOf(selection, design);
  switch (selection.type) {
    case 'zone':
      return [];
    case 'path': {
      const { from } = pathEnds(selection.id);
      const caller = blockOf({ type: 'node', id: from }, design) ?? from;
      return design.calls.filter((call) => call.from === caller && call.to === name);
    }
    default:
      return design.calls.filter((call) => call.from === name);
  }
}

function about(selection: Selection, design: StructuralView): string {
  if (selection.type === 'zone') {
    const zone = design.zones.find((one) => one.name === selection.id);
    const count = design.blocks
      .flatMap((block) => block.nodes)
      .filter((node) => node.zone === selection.id).length;
    return `A zone${zone ? ` of region ${zone.region}` : ''} with ${count} nodes: what fails together.`;
  }
  const block = design.blocks.find((one) => one.name === blockOf(selection, design));
  if (!block) return '';
  if (selection.type === 'path') return `Calls of ${pathEnds(selection.id).from} to ${block.name}.`;
  if (selection.type === 'node') {
    const zone = block.nodes.find((node) => node.id === selection.id)?.zone;
    return `A node of ${block.name}${zone ? ` in zone ${zone}` : ''}. ${block.purpose}`;
  }
  const quorum = block.quorum
    ? ` ${block.quorum.copies} copies; ${block.quorum.read} answer a read, ${block.quorum.write} a write.`
    : '';
  return `${block.purpose}${quorum}`;
}
