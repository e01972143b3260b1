/** Whom a service calls for each request: in which order, how often, and whether it may fail. */
import { IconButton } from '../parts/Button.tsx';
import { type CallRow, readCalls, writeCalls } from './calls.ts';
import styles from './Editor.module.css';

export interface CallsFormProps {
  readonly calls: unknown;
  readonly onChange: (calls: unknown) => void;
}

export function CallsForm({ calls, onChange }: CallsFormProps) {
  const read = readCalls(calls);
  if (!read) {
    return (
      <section>
        <h3>Calls</h3>
        <p className={styles.note}>These are nested deeper than this form can show:</p>
        <pre className={styles.json}>{JSON.stringify(calls, null, 1)}</pre>
      </section>
    );
  }
  const { rows, isParallel } = read;
  const put = (next: readonly CallRow[], parallel = isParallel) =>
    onChange(writeCalls({ rows: next, isParallel: parallel }));
  const change = (index: number, part: Partial<CallRow>) =>
    put(rows.map((row, at) => (at === index ? { ...row, ...part } : row)));
  return (
    <section>
      <h3>Calls</h3>
      {rows.length === 0 && <p className={styles.note}>It calls nobody.</p>}
      {rows.map((row, index) => (
        <div key={`${row.to} ${index}`} className={styles.row}>
          <span className={styles.grow}>
            {isParallel ? '' : `${index + 1}. `}
            {row.to}
          </span>
          <label data-tip="In how many of a hundred requests">
            <input
              className={styles.number}
              type="number"
              min={1}
              max={100}
              aria-label={`Share of requests that call ${row.to}, per cent`}
              value={Math.round(row.chance * 100)}
              onChange={(event) => {
                const percent = Number(event.target.value);
                if (percent > 0 && percent <= 100) change(index, { chance: percent / 100 });
              }}
            />
            %
          </label>
          <label data-tip="Its failure is not the caller’s">
            <input
              type="checkbox"
              checked={row.isOptional}
              onChange={(event) => change(index, { isOptional: event.target.checked })}
            />
            optional
          </label>
          {!isParallel && (
            <IconButton
              small
              icon="up"
              label={`Call ${row.to} earlier`}
              disabled={index === 0}
              onPress={() => put(swapped(rows, index))}
            />
          )}
          <IconButton
            small
            icon="close"
            label={`No longer call ${row.to}`}
            onPress={() => put(rows.filter((_, at) => at !== index))}
          />
        </div>
      ))}
      {rows.length > 1 && (
        <label className={styles.check}>
          <input
            type="checkbox"
            checked={isParallel}
            onChange={(event) => put(rows, event.target.checked)}
          />
          all at once, rather than one after the other
        </label>
      )}
    </section>
  );
}

function swapped(rows: readonly CallRow[], index: number): CallRow[] {
  const next = [...rows];
  [next[index - 1], next[index]] = [next[index]!, next[index - 1]!];
  return next;
}
