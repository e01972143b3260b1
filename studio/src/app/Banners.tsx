/** What stands in the way: mistakes in the design, a refused request, a server that is gone. */
import type { ProblemView } from 'loadpath/studio';
import { Button, IconButton } from '../parts/Button.tsx';
import { plural } from '../parts/format.ts';
import { Icon } from '../parts/Icon.tsx';
import { canRun, isDrawing, shownRun } from '../state/store.ts';
import styles from './Banners.module.css';
import { useActions, useStudioState } from './studio.ts';

export function Banners() {
  const actions = useActions();
  const connection = useStudioState((state) => state.connection);
  // The drawing board says them at the blocks that they are about.
  const problems = useStudioState((state) =>
    isDrawing(state) ? undefined : state.design?.problems,
  );
  const path = useStudioState((state) => state.design?.path);
  const isShown = useStudioState((state) => Boolean(state.design?.structure?.blocks.length));
  const refusal = useStudioState((state) => state.refusal);
  const isReady = useStudioState(canRun);
  const failure = useStudioState((state) => shownRun(state)?.failure);
  return (
    <div className={styles.banners} aria-live="polite">
      {connection === 'lost' && (
        <div className={`${styles.banner} ${styles.warn}`}>
          <Icon name="link" />
          <p>
            <strong>Studio’s server does not answer.</strong> What was run so far can still be
            looked at. If it was ended, start it again and open the address that it prints.
          </p>
        </div>
      )}
      {connection === 'barred' && (
        <div className={`${styles.banner} ${styles.warn}`}>
          <Icon name="link" />
          <p>
            <strong>Studio was started again.</strong> What was run so far can still be looked at.
            To go on, open the address that it printed: the token in it is new.
          </p>
        </div>
      )}
      {problems && problems.length > 0 && (
        <div className={`${styles.banner} ${styles.bad}`}>
          <Icon name="alert" />
          <div>
            <strong>
              {path} has {plural(problems.length, 'mistake')};{' '}
              {isShown ? 'the page shows it as it was before and' : 'the page'} goes on when it is
              saved without.
            </strong>
            <Problems problems={problems} />
          </div>
        </div>
      )}
      {refusal && (
        <div className={`${styles.banner} ${styles.bad}`} role="alert">
          <Icon name="alert" />
          <div>
            <strong>{headOf(refusal.message)}</strong>
            <Problems problems={refusal.problems} />
          </div>
          <IconButton small icon="close" label="Dismiss" onPress={actions.dismissRefusal} />
        </div>
      )}
      {failure && !refusal && (
        <div className={`${styles.banner} ${styles.bad}`} role="alert">
          <Icon name="alert" />
          <div>
            <strong>The run failed: {headOf(failure.message)}</strong>
            <Problems problems={failure.problems} />
          </div>
          <Button small disabled={!isReady} onPress={() => void actions.run()}>
            Run again
          </Button>
        </div>
      )}
    </div>
  );
}

const shownMax = 4;

function Problems({ problems }: { readonly problems: readonly ProblemView[] }) {
  const actions = useActions();
  if (problems.length === 0) return null;
  return (
    <ul className={styles.problems}>
      {problems.slice(0, shownMax).map((problem) => {
        const { file, line, column } = problem;
        return (
          <li key={`${problem.at} ${problem.what}`}>
            {file !== undefined && line !== undefined && (
              <button
                type="button"
                className={styles.place}
                onClick={() => actions.goTo({ file, line })}
              >
                {file}:{line}
                {column === undefined ? '' : `:${column}`}
              </button>
            )}
            <span>
              {!isPlace(problem) && <b>{problem.at}: </b>}
              {problem.what}
            </span>
          </li>
        );
      })}
      {problems.length > shownMax && <li>and {plural(problems.length - shownMax, 'more')}</li>}
    </ul>
  );
}

/** Where it is may be all that `at` says, and that stands before it already. */
function isPlace({ at, file }: ProblemView): boolean {
  return at === '' || (file !== undefined && at.startsWith(file));
}

/** A message lists its problems again below its first line. */
function headOf(message: string): string {
  return message.split('\n', 1)[0]!.replace(/:$/, '');
}
