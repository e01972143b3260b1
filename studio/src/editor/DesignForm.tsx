/** The design as a whole: its name, where users come in, what is promised, what breaks. */
import type { JsonDesign, ProblemView } from 'loadpath/studio';
import { useId } from 'react';
import { Choice, Field } from '../parts/Field.tsx';
import { Problems } from './BlockForm.tsx';
import { blocksOf, isFields } from './board.ts';
import styles from './Editor.module.css';

export interface DesignFormProps {
  readonly design: JsonDesign;
  readonly problems: readonly ProblemView[];
  readonly onEdit: (to: (design: JsonDesign) => JsonDesign, label?: string) => void;
}

const objectives = [
  { name: 'p99', label: 'p99 at most', placeholder: '50ms' },
  { name: 'availability', label: 'Availability at least', placeholder: '0.999' },
  { name: 'throughput', label: 'Throughput at least', placeholder: '100/s' },
] as const;

export function DesignForm({ design, problems, onEdit }: DesignFormProps) {
  const faults = useId();
  const blocks = blocksOf(design);
  const promised = isFields(design.objectives) ? design.objectives : {};
  const promise = (name: string, text: string) =>
    onEdit((former) => {
      const { [name]: _former, ...rest } = isFields(former.objectives) ? former.objectives : {};
      const value = name === 'availability' && text !== '' ? availabilityOf(text) : text;
      const next = text === '' ? rest : { ...rest, [name]: value };
      const { objectives: _objectives, ...others } = former;
      return Object.keys(next).length === 0 ? others : { ...others, objectives: next };
    }, `objectives.${name}`);
  return (
    <>
      <h2>The design</h2>
      <Field
        label="Name of the design"
        value={String(design.name ?? '')}
        onChange={(name) => onEdit((former) => ({ ...former, name }), 'name')}
      />
      {blocks.length === 0 && (
        <p className={styles.note}>
          Begin with a block: press one above the board, or drag it there. Users come in at the
          first.
        </p>
      )}
      <Problems problems={problems} />
      {blocks.length > 0 && (
        <Choice
          label="Users come in at"
          value={String(design.entry)}
          choices={blocks.map(({ name }) => ({ value: name, label: name }))}
          onChange={(entry) => onEdit((former) => ({ ...former, entry }))}
        />
      )}
      <section>
        <h3>What it promises</h3>
        {objectives.map(({ name, label, placeholder }) => (
          <Field
            key={name}
            label={label}
            placeholder={placeholder}
            value={String(promised[name] ?? '')}
            onChange={(text) => promise(name, text)}
          />
        ))}
      </section>
      <section>
        <h3>
          <label htmlFor={faults}>Faults, a sentence a line</label>
        </h3>
        <textarea
          id={faults}
          className={styles.faults}
          rows={4}
          spellCheck={false}
          placeholder="kill api/0 at 10s, restart after 5s"
          value={Array.isArray(design.faults) ? design.faults.join('\n') : ''}
          onChange={(event) => {
            const lines = event.target.value.split('\n');
            const isEmpty = event.target.value === '';
            onEdit((former) => {
              const { faults: _faults, ...rest } = former;
              return isEmpty ? rest : { ...rest, faults: lines };
            }, 'faults');
          }}
        />
      </section>
    </>
  );
}

/** A number once it is one; what is still being typed stays text, and is told as wrong. */
function availabilityOf(text: string): string | number {
  return /^(0?\.\d*[1-9]|1)$/.test(text) ? Number(text) : text;
}
