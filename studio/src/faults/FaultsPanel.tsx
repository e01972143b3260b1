/** The faults of the next run: a list to edit, switch, move in time, save, copy and paste. */
import type { Micros, StructuralView } from 'loadpath/studio';
import { useState } from 'react';
import { Button, IconButton } from '../parts/Button.tsx';
import { CopyButton } from '../parts/Copy.tsx';
import { Empty } from '../parts/Empty.tsx';
import { clockText, plural } from '../parts/format.ts';
import {
  type FaultEntry,
  type FaultList,
  faultAtUs,
  faultEndUs,
  nudged,
  pastedFaults,
  withFaults,
  withoutFault,
  withText,
  withToggled,
} from '../state/faults.ts';
import { FaultInput } from './FaultInput.tsx';
import styles from './FaultsPanel.module.css';
import { examplesFor, namesOf, problemOf } from './verbs.ts';

export interface FaultsPanelProps {
  readonly list: FaultList;
  readonly design: StructuralView;
  readonly playheadUs: Micros;
  readonly nowText: string;
  /** The shown run had other faults than the list now has. */
  readonly changed: boolean;
  readonly onChange: (list: FaultList) => void;
  readonly canRun: boolean;
  readonly onRun: () => void;
  readonly onSave: () => void;
  readonly onSeek: (us: Micros) => void;
}

const nudgeUs = 1_000_000;
const pasteTip = 'Paste sentences, one a line, or a loadpath command';

export function FaultsPanel(props: FaultsPanelProps) {
  const { list, design, nowText, changed, onChange, onRun } = props;
  const names = namesOf(design);
  const [refused, setRefused] = useState(false);
  const on = list.filter((entry) => entry.on);
  const hasProblem = on.some((entry) => (entry.problem ?? problemOf(entry.text, names)) !== null);

  function take(text: string): void {
    setRefused(false);
    onChange(withFaults(list, pastedFaults(text)));
  }

  async function paste(): Promise<void> {
    // Some browsers ask first, and may be told no.
    const text = await navigator.clipboard.readText().catch(() => null);
    if (text === null) setRefused(true);
    else if (text.trim() !== '') take(text);
  }

  return (
    <section className={styles.panel} aria-label="Faults">
      <FaultInput
        label="Add a fault"
        placeholder="kill links/1 at 30s, restart after 5s"
        names={names}
        nowText={nowText}
        onDone={(text) => onChange(withFaults(list, [text]))}
        onPasted={take}
      />
      {refused && (
        <p className={styles.problem} role="status">
          The browser keeps the clipboard to itself: press Ctrl+V in the field above.
        </p>
      )}
      {list.length === 0 ? (
        <Empty icon="bolt" title="Nothing goes wrong yet">
          Right-click a node, a zone or a path in the graph, or take one of these:
        </Empty>
      ) : (
        <div className={styles.bar}>
          <Button
            tone={changed ? 'primary' : 'plain'}
            icon="play"
            disabled={hasProblem || !props.canRun}
            tip={
              hasProblem
                ? 'A sentence has a mistake; switch it off or mend it'
                : 'The same seed with these faults: all before the first of them stays as it was'
            }
            onPress={onRun}
          >
            Run with {plural(on.length, 'fault')}
          </Button>
          <span className={styles.space} />
          <CopyButton
            text={on.map((entry) => `--fault '${entry.text}'`).join(' ')}
            label="As CLI"
          />
          <IconButton icon="paste" label="Paste" tip={pasteTip} onPress={() => void paste()} />
          <IconButton
            icon="save"
            label="Save into the design"
            tip="Into the design’s fault plan: every run of it has them from then on"
            onPress={props.onSave}
          />
          <IconButton
            icon="trash"
            label="Remove all"
            onPress={() => onChange(list.filter((entry) => entry.origin === 'design'))}
          />
        </div>
      )}
      {list.length === 0 && (
        <ul className={styles.examples}>
          {examplesFor(design, nowText).map((text) => (
            <li key={text}>
              <button type="button" onClick={() => onChange(withFaults(list, [text]))}>
                <code>{text}</code>
              </button>
            </li>
          ))}
          <li>
            <Button small tone="quiet" icon="paste" tip={pasteTip} onPress={() => void paste()}>
              Paste
            </Button>
          </li>
        </ul>
      )}
      <ul className={styles.list}>
        {list.map((entry) => (
          <FaultRow
            key={entry.id}
            entry={entry}
            problem={entry.problem ?? problemOf(entry.text, names)}
            {...props}
          />
        ))}
      </ul>
    </section>
  );
}

interface FaultRowProps extends FaultsPanelProps {
  readonly entry: FaultEntry;
  readonly problem: string | null;
}

function FaultRow(props: FaultRowProps) {
  const { entry, problem, list, design, nowText, playheadUs, onChange, onSeek } = props;
  const [editing, setEditing] = useState(false);
  const atUs = faultAtUs(entry.text);
  const endUs = faultEndUs(entry.text);
  const isNow =
    entry.on &&
    atUs !== undefined &&
    atUs <= playheadUs &&
    (endUs === undefined || playheadUs < endUs);
  if (editing) {
    return (
      <li className={styles.row}>
        <FaultInput
          label="Change the fault"
          start={entry.text}
          focused
          names={namesOf(design)}
          nowText={nowText}
          onDone={(text) => {
            onChange(withText(list, entry.id, text));
            setEditing(false);
          }}
          onCancel={() => setEditing(false)}
        />
      </li>
    );
  }
  return (
    <li className={`${styles.row} ${entry.on ? '' : styles.off} ${isNow ? styles.now : ''}`}>
      <input
        type="checkbox"
        className={styles.switch}
        checked={entry.on}
        aria-label={`${entry.text}: on`}
        data-tip={entry.on ? 'Leave it out of the next run' : 'Take it into the next run'}
        onChange={() => onChange(withToggled(list, entry.id))}
      />
      <div className={styles.words}>
        <button
          type="button"
          className={styles.text}
          data-tip="Edit"
          onClick={() => setEditing(true)}
        >
          <code>{entry.text}</code>
        </button>
        <span className={styles.about}>
          {isNow ? 'at work now' : atUs === undefined ? '' : `at ${clockText(atUs)}`}
          {endUs !== undefined && ` until ${clockText(endUs)}`}
          {entry.origin === 'design' && ' · the design’s own'}
        </span>
        {problem !== null && <p className={styles.problem}>{problem}</p>}
      </div>
      <span className={styles.actions}>
        <IconButton
          small
          icon="minus"
          label="One second sooner"
          onPress={() => onChange(withText(list, entry.id, nudged(entry.text, -nudgeUs)))}
        />
        <IconButton
          small
          icon="plus"
          label="One second later"
          onPress={() => onChange(withText(list, entry.id, nudged(entry.text, nudgeUs)))}
        />
        <IconButton
          small
          icon="flag"
          label="Go there"
          tip="Playhead to where it begins"
          disabled={atUs === undefined}
          onPress={() => onSeek(atUs ?? 0)}
        />
        <IconButton
          small
          icon="close"
          label="Remove"
          onPress={() => onChange(withoutFault(list, entry.id))}
        />
      </span>
    </li>
  );
}
