/**
 * The drawing board: a palette, what was drawn, and a form for what is selected. Every change is
 * checked by the server and saved after a moment's rest; what is wrong stands at the block it is about.
 */
import type { DesignView, JsonDesign, PaletteBlock, ProblemView } from 'loadpath/studio';
import { type ReactNode, useCallback, useEffect, useRef, useState } from 'react';
import { Button, IconButton } from '../parts/Button.tsx';
import { CopyButton } from '../parts/Copy.tsx';
import { Dialog } from '../parts/Dialog.tsx';
import { plural } from '../parts/format.ts';
import { change, type History, redo, settle, undo } from '../state/history.ts';
import { isSaved, type Kept, withRead, withSent } from '../state/kept.ts';
import { BlockForm } from './BlockForm.tsx';
import { BoardArea } from './BoardArea.tsx';
import {
  addBlock,
  addUsers,
  blockOf,
  mistakesIn,
  type Place,
  remove,
  usersName,
  usersOf,
} from './board.ts';
import { DesignForm } from './DesignForm.tsx';
import styles from './Editor.module.css';
import { UsersForm } from './UsersForm.tsx';

export interface OptionsFormProps {
  readonly block: string;
  readonly kind: string;
  /** As they stand in the design; what is left out has its default. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly problems: readonly ProblemView[];
  /** Undefined: the default again. */
  readonly onOption: (option: string, value: unknown) => void;
}

export interface EditorViewProps {
  /** As it was read; a later one, of another hand, takes the place of what is drawn. */
  readonly design: JsonDesign;
  readonly kept: Kept;
  readonly onKept: (to: (former: Kept) => Kept) => void;
  readonly palette: readonly PaletteBlock[];
  readonly check: (design: JsonDesign) => Promise<DesignView>;
  readonly save: (design: JsonDesign) => Promise<DesignView>;
  readonly typescript: (design: JsonDesign) => Promise<string>;
  readonly optionsForm: (props: OptionsFormProps) => ReactNode;
}

/** Nobody reads what is wrong between two key strokes. */
const checkAfterMs = 250;
const saveAfterMs = 900;

type Saving = 'saved' | 'changed' | 'failed';

export function EditorView(props: EditorViewProps) {
  const { palette, optionsForm, onKept } = props;
  const { history } = props.kept;
  const setHistory = useCallback(
    (to: (former: History<JsonDesign>) => History<JsonDesign>) =>
      onKept((former) => ({ ...former, history: to(former.history) })),
    [onKept],
  );
  const [selected, setSelected] = useState<string | null>(null);
  const [code, setCode] = useState<string | null>(null);
  const design = history.now;
  const { problems: told, saving } = useSaving(props);
  const problems = mistakesIn(design, told);
  const edit = useCallback(
    (to: (design: JsonDesign) => JsonDesign, label?: string) =>
      setHistory((former) => change(former, to(former.now), label)),
    [setHistory],
  );
  const rest = useCallback(() => setHistory(settle), [setHistory]);
  const add = (kind: string, at?: Place) => {
    if (kind === usersName) {
      edit((former) => addUsers(former, at));
      setSelected(usersName);
      return;
    }
    const [next, name] = addBlock(design, kind, at);
    edit(() => next);
    setSelected(name);
  };
  const drop = (name: string) => {
    edit((former) => remove(former, name));
    setSelected(null);
  };
  useKeys((event) => {
    const target = event.target as Element;
    // A dialog over the board closes by itself; text has an undo of its own.
    if (target.closest('dialog, input, textarea, select')) return false;
    const isCommand = event.ctrlKey || event.metaKey;
    const key = event.key.toLowerCase();
    if (isCommand && key === 'z') setHistory(event.shiftKey ? redo : undo);
    else if (isCommand && key === 'y') setHistory(redo);
    else if (selected && (key === 'delete' || key === 'backspace')) drop(selected);
    else if (selected && key === 'escape') setSelected(null);
    else return false;
    return true;
  });
  const kinds = palette.filter(({ modelled, kind }) => modelled && kind !== usersName);
  const block = selected === null ? undefined : blockOf(design, selected);
  const purpose = palette.find(({ kind }) => kind === block?.kind)?.purpose;
  return (
    <section className={styles.editor} aria-label="Drawing board">
      <div className={styles.tools}>
        <div className={styles.palette} role="toolbar" aria-label="Blocks to add">
          {!usersOf(design) && (
            <PaletteButton kind={usersName} purpose="Who loads the system." onAdd={add} />
          )}
          {kinds.map(({ kind, purpose }) => (
            <PaletteButton key={kind} kind={kind} purpose={purpose} onAdd={add} />
          ))}
        </div>
        <IconButton
          icon="undo"
          label="Undo"
          shortcut="Ctrl Z"
          disabled={history.past.length === 0}
          onPress={() => setHistory(undo)}
        />
        <IconButton
          icon="redo"
          label="Redo"
          shortcut="Ctrl Y"
          disabled={history.future.length === 0}
          onPress={() => setHistory(redo)}
        />
        <Button
          small
          tone="quiet"
          icon="source"
          tip="The same design as code, to go on from"
          opens="dialog"
          onPress={() =>
            void props
              .typescript(design)
              .then(setCode, (failure: unknown) => setCode(`// ${String(failure)}`))
          }
        >
          As TypeScript
        </Button>
        <span className={styles.state} role="status" data-tone={saving}>
          {saving === 'failed'
            ? 'Not saved: the server does not answer'
            : saving === 'changed'
              ? 'Saving …'
              : problems.length === 0
                ? 'Saved'
                : `Saved, with ${plural(problems.length, 'mistake')}`}
        </span>
      </div>
      <div className={styles.middle}>
        <BoardArea
          design={design}
          palette={palette}
          problems={problems}
          selected={selected}
          onSelect={setSelected}
          onEdit={edit}
          onRest={rest}
          onAdd={add}
        />
        {/* Who comes back to a field begins another change. */}
        <aside className={styles.form} aria-label="What is selected" onBlur={rest}>
          {block ? (
            <BlockForm
              key={block.name}
              design={design}
              block={block}
              purpose={purpose ?? ''}
              problems={problems.filter(({ at }) => isAbout(at, block.name))}
              optionsForm={optionsForm}
              onEdit={edit}
              onRename={setSelected}
              onRemove={() => drop(block.name)}
            />
          ) : selected === usersName && usersOf(design) ? (
            <UsersForm
              design={design}
              problems={problems.filter(({ at }) => isAbout(at, usersName))}
              onEdit={edit}
              onRemove={() => drop(usersName)}
            />
          ) : (
            <DesignForm design={design} problems={problems} onEdit={edit} />
          )}
        </aside>
      </div>
      {code !== null && (
        <Dialog
          title="The design as code"
          wide
          onClose={() => setCode(null)}
          actions={<CopyButton text={code} label="Copy" />}
        >
          <p className={styles.note}>
            Save it as a .ts file beside your package.json and open that in Studio. It says the same
            as the drawing; handlers of your own can then take the place of models.
          </p>
          <pre className={styles.json}>{code}</pre>
        </Dialog>
      )}
    </section>
  );
}

/** `api.slots`, `api.calls[0]`, or the block itself. */
export function isAbout(at: string, name: string): boolean {
  return at === name || at.startsWith(`${name}.`) || at.startsWith(`${name}[`);
}

function PaletteButton({
  kind,
  purpose,
  onAdd,
}: {
  readonly kind: string;
  readonly purpose: string;
  readonly onAdd: (kind: string) => void;
}) {
  return (
    <button
      type="button"
      className={styles.kind}
      draggable
      data-tip={`${purpose} Press, or drag onto the board`}
      onDragStart={(event) => event.dataTransfer.setData('text/plain', `loadpath ${kind}`)}
      onClick={() => onAdd(kind)}
    >
      + {kind}
    </button>
  );
}

/** Wherever the focus is: one undoes before one has pressed anything. */
function useKeys(pressed: (event: KeyboardEvent) => boolean): void {
  useEffect(() => {
    const heard = (event: KeyboardEvent) => {
      if (event.defaultPrevented || !pressed(event)) return;
      event.preventDefault();
      event.stopPropagation();
    };
    document.addEventListener('keydown', heard);
    return () => document.removeEventListener('keydown', heard);
  });
}

function useSaving(props: EditorViewProps): {
  readonly problems: readonly ProblemView[];
  readonly saving: Saving;
} {
  const { design: read, kept, onKept } = props;
  const design = kept.history.now;
  const [problems, setProblems] = useState<readonly ProblemView[]>([]);
  const [saving, setSaving] = useState<Saving>('saved');
  const latest = useRef(props);
  latest.current = props;

  useEffect(() => onKept((former) => withRead(former, read)), [read, onKept]);

  useEffect(() => {
    let isStale = false;
    const take = (view: DesignView) => {
      if (!isStale) setProblems(view.problems);
    };
    const isNew = !isSaved(latest.current.kept);
    if (isNew) setSaving('changed');
    const soon = setTimeout(() => latest.current.check(design).then(take, () => {}), checkAfterMs);
    const later = setTimeout(() => {
      if (!isNew) return;
      onKept((former) => withSent(former, design));
      latest.current.save(design).then(
        (view) => {
          take(view);
          if (!isStale) setSaving('saved');
        },
        () => setSaving('failed'),
      );
    }, saveAfterMs);
    return () => {
      isStale = true;
      clearTimeout(soon);
      clearTimeout(later);
    };
  }, [design, onKept]);

  // Who leaves the board sees the traffic of what was drawn last, not of what was drawn a second ago.
  useEffect(
    () => () => {
      const { kept, save } = latest.current;
      if (isSaved(kept)) return;
      const { now } = kept.history;
      onKept((former) => withSent(former, now));
      // A server that is not there is told by the page.
      save(now).catch(() => {});
    },
    [onKept],
  );

  return { problems, saving };
}
