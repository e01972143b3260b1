/**
 * What to do to what was pointed at: a verb, when, for how long. Verbs that need a partner or an
 * amount ask for it on a second page. Every verb has a letter.
 */
import type { StructuralView } from 'loadpath/studio';
import { type KeyboardEvent, useEffect, useRef, useState } from 'react';
import { IconButton } from '../parts/Button.tsx';
import { Choice, Field } from '../parts/Field.tsx';
import { Icon } from '../parts/Icon.tsx';
import { moveFocus } from '../parts/Menu.tsx';
import { type Point, Popover } from '../parts/Popover.tsx';
import { type Selection, sameSelection, titleOf } from '../state/selection.ts';
import styles from './FaultMenu.module.css';
import {
  asksMore,
  namesOf,
  othersFor,
  problemOf,
  sentenceOf,
  type Verb,
  verbsFor,
} from './verbs.ts';

export interface FaultMenuProps {
  readonly target: Selection;
  /** What it is, in a few words: `replica in zone b`. */
  readonly what: string;
  readonly at: Point;
  readonly design: StructuralView;
  /** The time at the playhead, as written: `12.3s`. Null: a live system, where all faults are now. */
  readonly nowText: string | null;
  readonly onFault: (sentence: string) => void;
  readonly onInspect: () => void;
  readonly onClose: () => void;
}

const lengths = ['', '1s', '5s', '10s', '30s', '1min'] as const;

export function FaultMenu(props: FaultMenuProps) {
  const { design, nowText, onFault } = props;
  const [target, setTarget] = useState(props.target);
  const [verb, setVerb] = useState<Verb | null>(null);
  const [amount, setAmount] = useState('');
  const [at, setAt] = useState(nowText ?? '');
  const [lasts, setLasts] = useState('');
  const offered = verbsFor(target);
  const box = useRef<HTMLDivElement>(null);

  // The other page has other buttons: the focus goes on among them.
  // It is the page that changed.
  useEffect(() => {
    box.current?.querySelector<HTMLElement>('[data-verb]')?.focus();
  }, [verb]);

  const say = (chosen: Verb, other?: string, much?: string) =>
    sentenceOf(
      { verb: chosen, target, other, amount: much, at: nowText === null ? null : at, lasts },
      design,
    );
  const atProblem = nowText === null ? null : timeProblem(at, design, offered, target);

  function choose(chosen: Verb): void {
    if (atProblem) return;
    if (asksMore(chosen, target)) {
      setVerb(chosen);
      setAmount(chosen.amounts?.[0] ?? '');
    } else onFault(say(chosen));
  }

  function pressed(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target instanceof HTMLInputElement || event.target instanceof HTMLSelectElement)
      return;
    const chosen = offered.find(({ key }) => key === event.key);
    if (verb || !chosen) return;
    event.preventDefault();
    event.stopPropagation();
    choose(chosen);
  }

  return (
    <Popover
      at={props.at}
      role="dialog"
      label={`Faults for ${titleOf(target)}`}
      onClose={props.onClose}
      className={styles.menu}
    >
      <div ref={box} onKeyDown={pressed} role="presentation">
        <div className={styles.head}>
          {verb && <IconButton small icon="undo" label="Back" onPress={() => setVerb(null)} />}
          <h2>{verb ? `${verb.label}: ${titleOf(target)}` : titleOf(target)}</h2>
          <span className={styles.what}>{props.what}</span>
          <IconButton
            small
            icon="inspect"
            label="Inspect"
            tip="Figures, options, story"
            onPress={props.onInspect}
          />
        </div>
        {!verb && <Nodes of={props.target} design={design} chosen={target} onChoose={setTarget} />}
        <div className={styles.when}>
          {nowText !== null && (
            <Field
              label="at"
              inline
              width={7}
              value={at}
              onChange={setAt}
              problem={atProblem}
              tip="When, since the load began. The preset is the playhead."
            />
          )}
          <Choice
            label="for"
            inline
            value={lasts}
            onChange={setLasts}
            choices={lengths.map((value) => ({
              value,
              label: value === '' ? 'until the end' : value,
            }))}
            tip="How long. What is killed is started again after it."
          />
          {verb?.amounts && (
            <Choice
              label="by"
              inline
              value={amount}
              onChange={setAmount}
              choices={verb.amounts.map((value) => ({ value, label: value }))}
            />
          )}
        </div>
        <div className={styles.verbs}>
          {!verb &&
            offered.map((one, index) => (
              <button
                key={one.id}
                type="button"
                className={styles.verb}
                data-autofocus={index === 0 ? '' : undefined}
                data-verb=""
                aria-keyshortcuts={one.key}
                onKeyDown={step}
                onClick={() => choose(one)}
              >
                <Icon name={one.icon} />
                <span className={styles.label}>
                  {one.label}
                  {asksMore(one, target) && ' …'}
                </span>
                <span className={styles.meaning}>{one.meaning}</span>
                <kbd>{one.key.toUpperCase()}</kbd>
              </button>
            ))}
          {verb &&
            (verb.asksOther && target.type !== 'path'
              ? othersFor(target, design).map((other, index) => (
                  <button
                    key={other.words}
                    type="button"
                    className={styles.verb}
                    data-autofocus={index === 0 ? '' : undefined}
                    data-verb=""
                    onKeyDown={step}
                    onClick={() => onFault(say(verb, other.words, amount))}
                  >
                    <Icon name={verb.icon} />
                    <span className={styles.label}>
                      {verb.id === 'cut' ? 'from' : 'to and from'} {other.words}
                    </span>
                    <span className={styles.meaning}>{other.hint}</span>
                  </button>
                ))
              : verb.amounts?.map((value, index) => (
                  <button
                    key={value}
                    type="button"
                    className={styles.verb}
                    data-autofocus={index === 0 ? '' : undefined}
                    data-verb=""
                    onKeyDown={step}
                    onClick={() => onFault(say(verb, undefined, value))}
                  >
                    <Icon name={verb.icon} />
                    <span className={styles.label}>by {value}</span>
                    <code className={styles.meaning}>{say(verb, undefined, value)}</code>
                  </button>
                )))}
        </div>
      </div>
    </Popover>
  );
}

interface NodesProps {
  readonly of: Selection;
  readonly design: StructuralView;
  readonly chosen: Selection;
  readonly onChoose: (target: Selection) => void;
}

/** More than these are better pointed at in the graph. */
const nodesMax = 9;

/** A block is all of its nodes; most faults are meant for one of them. */
function Nodes({ of, design, chosen, onChoose }: NodesProps) {
  const block = of.type === 'block' ? design.blocks.find(({ name }) => name === of.id) : undefined;
  if (!block || block.nodes.length < 2) return null;
  const choices: readonly Selection[] = [
    of,
    ...block.nodes.slice(0, nodesMax).map(({ id }) => ({ type: 'node' as const, id })),
  ];
  return (
    <div className={styles.nodes}>
      {choices.map((choice) => (
        <button
          key={`${choice.type} ${choice.id}`}
          type="button"
          className={styles.node}
          aria-pressed={sameSelection(choice, chosen)}
          onClick={() => onChoose(choice)}
        >
          {choice === of ? `all ${block.nodes.length}` : choice.id}
        </button>
      ))}
    </div>
  );
}

/** The time is checked by the grammar itself, in a sentence that is right otherwise. */
function timeProblem(
  at: string,
  design: StructuralView,
  offered: readonly Verb[],
  target: Selection,
): string | null {
  const verb = offered.find((one) => !one.asksOther) ?? offered[0];
  if (!verb) return null;
  const sentence = sentenceOf({ verb, target, at, lasts: '', other: 'everything' }, design);
  const problem = problemOf(sentence, namesOf(design));
  return problem === null ? null : 'A time such as 12s, 1500ms or 2min.';
}

function step(event: KeyboardEvent<HTMLElement>): void {
  moveFocus(event, '[data-verb]');
}
