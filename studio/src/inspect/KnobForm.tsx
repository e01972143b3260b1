/** The options of a block: inputs made from its knob table, and nothing known of the block itself. */
import type { KnobView, ProblemView } from 'loadpath/studio';
import { useId, useMemo, useState } from 'react';
import { Button, IconButton } from '../parts/Button.tsx';
import { plural } from '../parts/format.ts';
import type { Edits, OptionValue } from '../state/edits.ts';
import { type FormField, fieldsOf, matching, readField, stepped } from './fields.ts';
import styles from './KnobForm.module.css';

export interface KnobFormProps {
  readonly block: string;
  readonly knobs: readonly KnobView[];
  readonly options: Readonly<Record<string, OptionValue>>;
  readonly edits: Edits;
  readonly problems: readonly ProblemView[];
  readonly canEdit: boolean;
  readonly canRun: boolean;
  /** Each change counts at once: there is nothing to run with. */
  readonly isLive?: boolean;
  readonly onEdit: (key: string, value: OptionValue | null) => void;
  readonly onRun: () => void;
}

/** From here on a form is searched rather than read. */
const searchFrom = 9;

export function KnobForm(props: KnobFormProps) {
  const { block, knobs, options, edits, problems, canEdit, canRun, onEdit, onRun } = props;
  const [search, setSearch] = useState('');
  const fields = useMemo(
    () => fieldsOf(block, knobs, options, edits, problems),
    [block, knobs, options, edits, problems],
  );
  const changed = Object.keys(edits).length;
  if (fields.length === 0) return null;
  return (
    <section>
      <div className={styles.head}>
        <h3>Options of {block}</h3>
        {fields.length >= searchFrom && (
          <input
            className={styles.search}
            type="search"
            placeholder="Find an option"
            aria-label="Find an option"
            value={search}
            onChange={(event) => setSearch(event.target.value)}
          />
        )}
      </div>
      <form
        className={styles.form}
        onSubmit={(event) => {
          event.preventDefault();
          if (canRun) onRun();
        }}
      >
        {matching(fields, search).map((field) => (
          <KnobField key={field.key} field={field} canEdit={canEdit} onEdit={onEdit} />
        ))}
        {props.isLive ? null : canEdit ? (
          <div className={styles.foot}>
            <Button
              submit
              tone="primary"
              icon="play"
              disabled={changed === 0 || !canRun}
              tip={
                changed === 0
                  ? 'Change an option first'
                  : 'Run again with these, and compare with the run before'
              }
            >
              Run with these
            </Button>
            <span role="status">
              {changed === 0
                ? 'As the design says.'
                : `${plural(changed, 'option')} changed in this design.`}
            </span>
            {changed > 0 && (
              <Button
                tone="quiet"
                small
                icon="undo"
                onPress={() => {
                  for (const key of Object.keys(edits)) onEdit(key, null);
                }}
              >
                Undo all
              </Button>
            )}
          </div>
        ) : (
          <p className={styles.note}>These can be changed where the design is simulated.</p>
        )}
      </form>
    </section>
  );
}

function KnobField({
  field,
  canEdit,
  onEdit,
}: {
  readonly field: FormField;
  readonly canEdit: boolean;
  readonly onEdit: KnobFormProps['onEdit'];
}) {
  const id = useId();
  // What is being typed may not be a value yet; what is there is then told as wrong, not undone.
  const [typed, setTyped] = useState<string | null>(null);
  const [wrong, setWrong] = useState<string | null>(null);
  const shown = typed ?? (field.value === undefined ? '' : String(field.value));
  const problem = wrong ?? field.problem;
  const take = (text: string) => {
    const read = readField(field, text);
    if ('problem' in read) {
      setTyped(text);
      setWrong(read.problem);
      return;
    }
    setTyped(field.unit === 'text' || String(read.value) !== text ? text : null);
    setWrong(null);
    onEdit(field.key, read.value);
  };
  const reset = () => {
    setTyped(null);
    setWrong(null);
    onEdit(field.key, null);
  };
  const described = [`${id}-doc`, problem ? `${id}-problem` : ''].join(' ').trim();
  return (
    <div className={styles.field} data-edited={field.isEdited || undefined}>
      <label className={styles.name} htmlFor={id}>
        {field.name}
        {field.isEdited && <span className={styles.was}>was {ownText(field)}</span>}
      </label>
      <div className={styles.control}>
        <Input
          field={field}
          id={id}
          shown={shown}
          invalid={problem !== null}
          describedBy={described}
          disabled={!canEdit}
          onTake={take}
        />
        {(field.isEdited || typed !== null) && (
          <IconButton small icon="undo" label={`Back to ${ownText(field)}`} onPress={reset} />
        )}
      </div>
      {problem && (
        <p id={`${id}-problem`} className={styles.problem} role="alert">
          {problem}
        </p>
      )}
      <p id={`${id}-doc`} className={styles.doc}>
        {field.doc} <span className={styles.allowed}>{allowedText(field)}</span>
      </p>
    </div>
  );
}

interface InputProps {
  readonly field: FormField;
  readonly id: string;
  readonly shown: string;
  readonly invalid: boolean;
  readonly describedBy: string;
  readonly disabled: boolean;
  readonly onTake: (text: string) => void;
}

function Input({ field, id, shown, invalid, describedBy, disabled, onTake }: InputProps) {
  const described = {
    id,
    disabled,
    'aria-describedby': describedBy,
    'aria-invalid': invalid || undefined,
  };
  if (field.unit === 'flag') {
    return (
      <input
        {...described}
        type="checkbox"
        className={styles.flag}
        checked={shown === 'true'}
        onChange={(event) => onTake(String(event.target.checked))}
      />
    );
  }
  if (field.unit === 'choice') {
    return (
      <select
        {...described}
        className={styles.input}
        value={shown}
        onChange={(event) => onTake(event.target.value)}
      >
        {field.value === undefined && <option value="">none</option>}
        {field.choices.map((choice) => (
          <option key={choice}>{choice}</option>
        ))}
      </select>
    );
  }
  const step = (direction: 1 | -1) => {
    const next = stepped(field.unit, shown, direction);
    if (next !== undefined) onTake(next);
  };
  const steps = field.unit !== 'text' && field.unit !== 'ratio';
  return (
    <>
      {field.unit === 'ratio' && (
        <input
          type="range"
          className={styles.slider}
          aria-label={`${field.name}, slider`}
          min={field.bounds.min ?? 0}
          max={field.bounds.max ?? 1}
          step={((field.bounds.max ?? 1) - (field.bounds.min ?? 0)) / 100}
          value={Number(shown) || 0}
          disabled={disabled}
          onChange={(event) => onTake(event.target.value)}
        />
      )}
      <input
        {...described}
        className={styles.input}
        value={shown}
        placeholder="none"
        spellCheck={false}
        autoComplete="off"
        inputMode={field.unit === 'count' || field.unit === 'ratio' ? 'decimal' : 'text'}
        onChange={(event) => onTake(event.target.value)}
        onKeyDown={(event) => {
          const direction = { ArrowUp: 1, ArrowDown: -1 }[event.key] as 1 | -1 | undefined;
          if (direction === undefined || !steps) return;
          event.preventDefault();
          step(direction);
        }}
      />
      {steps && (
        <span className={styles.steps}>
          <IconButton
            small
            icon="minus"
            label={`Less ${field.name}`}
            disabled={disabled}
            onPress={() => step(-1)}
          />
          <IconButton
            small
            icon="plus"
            label={`More ${field.name}`}
            disabled={disabled}
            onPress={() => step(1)}
          />
        </span>
      )}
    </>
  );
}

function ownText(field: FormField): string {
  return field.own === undefined ? 'none' : String(field.own);
}

function allowedText({ allowed, preset, isSetByDesign, own }: FormField): string {
  const sentence = `${allowed.charAt(0).toUpperCase()}${allowed.slice(1)}`;
  const byDefault = preset === null ? '' : `; default ${preset}`;
  const byDesign = isSetByDesign && preset !== null ? `, the design says ${own}` : '';
  return `${sentence}${byDefault}${byDesign}.`;
}
