/** Who loads the system: so many requests a second, or so many users who wait for their answer. */
import type { JsonDesign, ProblemView } from 'loadpath/studio';
import { Button } from '../parts/Button.tsx';
import { Choice, Field } from '../parts/Field.tsx';
import { Problems } from './BlockForm.tsx';
import { isFields, setOption, usersName, usersOf } from './board.ts';
import styles from './Editor.module.css';

export interface UsersFormProps {
  readonly design: JsonDesign;
  readonly problems: readonly ProblemView[];
  readonly onEdit: (to: (design: JsonDesign) => JsonDesign, label?: string) => void;
  readonly onRemove: () => void;
}

export function UsersForm({ design, problems, onEdit, onRemove }: UsersFormProps) {
  const { rate, closed } = usersOf(design) ?? {};
  const set = (option: string, value: unknown) =>
    onEdit((former) => setOption(former, usersName, option, value), `users.${option}`);
  const isClosed = isFields(closed);
  const own = isClosed ? closed : {};
  return (
    <>
      <h2>Users</h2>
      <p className={styles.note}>Who loads the system, and how much.</p>
      <Problems problems={problems} />
      <Choice
        label="How they come"
        value={isClosed ? 'closed' : 'open'}
        choices={[
          { value: 'open', label: 'so many requests a second, come what may' },
          { value: 'closed', label: 'so many users, each waits for an answer' },
        ]}
        onChange={(how) =>
          onEdit((former) =>
            how === 'closed'
              ? setOption(setOption(former, usersName, 'rate', undefined), usersName, 'closed', {
                  users: 10,
                  think: '1s',
                })
              : setOption(
                  setOption(former, usersName, 'closed', undefined),
                  usersName,
                  'rate',
                  '100/s',
                ),
          )
        }
      />
      {isClosed && (
        <div className={styles.row}>
          <Field
            label="Users"
            numeric
            width={6}
            value={String(own.users ?? '')}
            onChange={(text) => set('closed', { ...own, users: Number(text) || 0 })}
          />
          <Field
            label="Think time"
            width={8}
            value={typeof own.think === 'string' ? own.think : JSON.stringify(own.think)}
            onChange={(think) => set('closed', { ...own, think })}
          />
        </div>
      )}
      {!isClosed && typeof rate !== 'object' && (
        <Field
          label="Rate"
          value={String(rate ?? '')}
          placeholder="100/s"
          onChange={(text) => set('rate', text)}
        />
      )}
      {!isClosed && typeof rate === 'object' && (
        <pre className={styles.json}>{JSON.stringify(rate)}</pre>
      )}
      <Button tone="danger" small icon="trash" shortcut="Delete" onPress={onRemove}>
        Remove the users
      </Button>
    </>
  );
}
