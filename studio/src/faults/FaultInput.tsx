/** A fault as a sentence, completed while it is typed and checked before it is taken. */
import type { FaultNames } from 'loadpath/studio';
import { type KeyboardEvent, useId, useRef, useState } from 'react';
import { complete } from './complete.ts';
import styles from './FaultInput.module.css';
import { problemOf } from './verbs.ts';

export interface FaultInputProps {
  readonly label: string;
  readonly start?: string | undefined;
  readonly placeholder?: string | undefined;
  readonly names: FaultNames;
  /** The time at the playhead, as written. Null: a running system, where all faults are now. */
  readonly nowText: string | null;
  readonly onDone: (sentence: string) => void;
  /** A whole list or a command was pasted: more than the sentence that is being written. */
  readonly onPasted?: ((text: string) => void) | undefined;
  readonly onCancel?: (() => void) | undefined;
  readonly focused?: boolean | undefined;
}

const shownMax = 8;

export function FaultInput(props: FaultInputProps) {
  const { names, nowText, onDone, onCancel } = props;
  const [text, setText] = useState(props.start ?? '');
  const [open, setOpen] = useState(false);
  const [chosen, setChosen] = useState(-1);
  const [tried, setTried] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  const id = useId();
  const completion = complete(text, names, nowText);
  const words = open ? completion.words.slice(0, shownMax) : [];
  const problem = text.trim() === '' ? null : problemOf(text, names, nowText === null);

  function change(value: string): void {
    setText(value);
    setChosen(-1);
    setTried(false);
    setOpen(true);
  }

  function take(word: string): void {
    change(`${text.slice(0, completion.from)}${word} `);
    input.current?.focus();
  }

  function pressed(event: KeyboardEvent): void {
    switch (event.key) {
      case 'ArrowDown':
      case 'ArrowUp': {
        event.preventDefault();
        setOpen(true);
        const step = event.key === 'ArrowDown' ? 1 : -1;
        const count = Math.min(shownMax, completion.words.length);
        setChosen(count === 0 ? -1 : (chosen + step + count) % count);
        break;
      }
      case 'Tab':
        if (words.length > 0 && !event.shiftKey && text.trim() !== '') {
          event.preventDefault();
          take(words[Math.max(0, chosen)]!);
        }
        break;
      case 'Enter':
        event.preventDefault();
        if (chosen >= 0 && words[chosen]) take(words[chosen]);
        else if (problem !== null) setTried(true);
        else if (text.trim() !== '') {
          onDone(text.trim());
          setText(props.start ?? '');
          setOpen(false);
        }
        break;
      case 'Escape':
        event.stopPropagation();
        if (words.length > 0) setOpen(false);
        else onCancel?.();
        break;
      default:
        break;
    }
  }

  return (
    <div className={styles.box}>
      <input
        ref={input}
        className={styles.input}
        role="combobox"
        aria-label={props.label}
        aria-expanded={words.length > 0}
        aria-controls={`${id}-words`}
        aria-autocomplete="list"
        aria-activedescendant={chosen >= 0 ? `${id}-${chosen}` : undefined}
        aria-invalid={tried && problem !== null ? true : undefined}
        aria-describedby={tried && problem !== null ? `${id}-problem` : undefined}
        // It stands where one pressed to edit.
        autoFocus={props.focused}
        spellCheck={false}
        autoComplete="off"
        placeholder={props.placeholder}
        value={text}
        onChange={(event) => change(event.target.value)}
        onFocus={() => setOpen(text !== '')}
        onBlur={() => setOpen(false)}
        onKeyDown={pressed}
        onPaste={(event) => {
          const pasted = event.clipboardData.getData('text');
          if (!props.onPasted || !/\n\s*\S|--fault/.test(pasted)) return;
          event.preventDefault();
          props.onPasted(pasted);
        }}
      />
      <div id={`${id}-words`} role="listbox" aria-label="Next word" className={styles.words}>
        {words.map((word, index) => (
          // The keys are the input's, as in every combobox.
          <span
            key={word}
            id={`${id}-${index}`}
            role="option"
            tabIndex={-1}
            aria-selected={index === chosen}
            className={styles.word}
            onPointerDown={(event) => event.preventDefault()}
            onClick={() => take(word)}
          >
            {word}
          </span>
        ))}
      </div>
      {tried && problem !== null && (
        <p id={`${id}-problem`} className={styles.problem} role="alert">
          {problem}
        </p>
      )}
    </div>
  );
}
