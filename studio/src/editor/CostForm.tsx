/** How long something takes, and what it takes it of. */

import { parseDuration } from 'loadpath/studio';
import { Choice, Field } from '../parts/Field.tsx';
import { type Cost, readCost, writeCost } from './draw.ts';
import styles from './Editor.module.css';

export interface CostFormProps {
  readonly title: string;
  readonly cost: unknown;
  readonly hasCpu?: boolean;
  readonly onChange: (cost: unknown) => void;
}

export function CostForm({ title, cost, hasCpu, onChange }: CostFormProps) {
  const read = readCost(cost);
  if (!read) {
    return (
      <section>
        <h3>{title}</h3>
        <p className={styles.note}>This distribution was written by hand:</p>
        <pre className={styles.json}>{JSON.stringify(cost)}</pre>
      </section>
    );
  }
  const set = (part: Partial<Cost>) => onChange(writeCost({ ...read, ...part }));
  const isWrong = read.duration !== '' && parseDuration(read.duration) === undefined;
  return (
    <section>
      <h3>{title}</h3>
      <div className={styles.row}>
        <Field
          label="Mean"
          value={read.duration}
          placeholder="5ms"
          width={8}
          problem={isWrong ? 'A duration: 5ms, 1.5s' : null}
          onChange={(duration) => set({ duration })}
        />
        <Choice
          label="Spread"
          value={read.draw}
          choices={[
            { value: 'constant', label: 'always the same' },
            { value: 'exponential', label: 'exponential' },
          ]}
          onChange={(draw) => set({ draw })}
        />
        {hasCpu && (
          <Choice
            label="Of"
            value={read.on}
            choices={[
              { value: 'wait', label: 'a slot' },
              { value: 'cpu', label: 'a core' },
            ]}
            tip="A slot is held while it waits; a core is busy for all that time"
            onChange={(on) => set({ on })}
          />
        )}
      </div>
    </section>
  );
}
