/** A labelled input with what is wrong with it. */
import { type ReactNode, useId } from 'react';
import styles from './Field.module.css';

export interface FieldProps {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  /** Enter was pressed. */
  readonly onEnter?: (() => void) | undefined;
  readonly placeholder?: string | undefined;
  readonly problem?: string | null | undefined;
  readonly tip?: string | undefined;
  /** In characters. */
  readonly width?: number | undefined;
  /** Label before the input instead of above it. */
  readonly inline?: boolean | undefined;
  readonly mono?: boolean | undefined;
  readonly numeric?: boolean | undefined;
  readonly after?: ReactNode;
}

export function Field(props: FieldProps) {
  const { label, value, onChange, onEnter, problem, inline } = props;
  const id = useId();
  return (
    <div className={inline ? styles.inline : styles.field} data-tip={problem ?? props.tip}>
      <label htmlFor={id} className={styles.label}>
        {label}
      </label>
      <input
        id={id}
        className={`${styles.input} ${props.mono ? styles.mono : ''}`}
        style={props.width === undefined ? undefined : { width: `calc(${props.width}ch + 18px)` }}
        value={value}
        placeholder={props.placeholder}
        inputMode={props.numeric ? 'numeric' : undefined}
        spellCheck={false}
        autoComplete="off"
        aria-invalid={problem ? true : undefined}
        aria-describedby={problem ? `${id}-problem` : undefined}
        onChange={(event) => onChange(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === 'Enter' && onEnter) onEnter();
        }}
      />
      {props.after}
      {problem && (
        <span id={`${id}-problem`} className={inline ? 'unseen' : styles.problem}>
          {problem}
        </span>
      )}
    </div>
  );
}

export interface ChoiceProps<Value extends string> {
  readonly label: string;
  readonly value: Value;
  readonly choices: readonly { readonly value: Value; readonly label: string }[];
  readonly onChange: (value: Value) => void;
  readonly inline?: boolean | undefined;
  readonly tip?: string | undefined;
}

export function Choice<Value extends string>(props: ChoiceProps<Value>) {
  const id = useId();
  return (
    <div className={props.inline ? styles.inline : styles.field} data-tip={props.tip}>
      <label htmlFor={id} className={styles.label}>
        {props.label}
      </label>
      <select
        id={id}
        className={styles.input}
        value={props.value}
        onChange={(event) => props.onChange(event.target.value as Value)}
      >
        {props.choices.map(({ value, label }) => (
          <option key={value} value={value}>
            {label}
          </option>
        ))}
      </select>
    </div>
  );
}
