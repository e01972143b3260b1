/** Seed, length, load, how many seeds; run, pause, stop. */
import { Button, IconButton } from '../parts/Button.tsx';
import { Field } from '../parts/Field.tsx';
import { durationText } from '../parts/format.ts';
import { formProblems, type RunField } from '../state/form.ts';
import { isGoing } from '../state/run.ts';
import { canRun, isOutOfReach, shownRun } from '../state/store.ts';
import styles from './RunControl.module.css';
import { useActions, useStudioState } from './studio.ts';

/** What a simulation takes where nobody says. */
const presetUs = 30_000_000;

export function RunControl() {
  const actions = useActions();
  const form = useStudioState((state) => state.form);
  const rate = useStudioState((state) => state.design?.structure?.ratePerSec);
  const isReady = useStudioState(canRun);
  const isAlone = useStudioState(isOutOfReach);
  // Not the run itself, which changes with all that streams in: a form is in no need of that.
  const state = useStudioState((all) => shownRun(all)?.state);
  const ownUs = useStudioState((all) => {
    const run = shownRun(all);
    return run && run.request?.forUs === undefined ? (run.layout?.forUs ?? 0) : 0;
  });
  const going = useStudioState((all) => isGoing(shownRun(all)));
  const problems = formProblems(form);
  const field = (name: RunField) => ({
    value: form[name],
    problem: problems[name],
    inline: true as const,
    onChange: (value: string) => actions.setForm({ [name]: value }),
    onEnter: () => void actions.run(),
  });
  return (
    <form
      className={styles.control}
      aria-label="Run"
      onSubmit={(event) => {
        event.preventDefault();
        void actions.run();
      }}
    >
      <Field
        {...field('seed')}
        label="Seed"
        width={4}
        numeric
        tip="The same seed gives the same run, event by event"
      />
      <Field
        {...field('duration')}
        label="for"
        width={5}
        placeholder={durationText(ownUs || presetUs).replace('\u202f', '')}
        tip="Virtual length of the load: 60s, 5min. Empty: what the design says"
      />
      <Field
        {...field('rate')}
        label="at"
        width={6}
        placeholder={rate === undefined ? 'as is' : `${Number(rate.toPrecision(3))}/s`}
        tip="Requests a second. Empty: what the design says"
      />
      <Field
        {...field('seeds')}
        label="×"
        width={3}
        numeric
        tip="How many seeds. From 2 on, figures have confidence intervals"
        after={<span className={styles.unit}>{form.seeds === '1' ? 'seed' : 'seeds'}</span>}
      />
      <span className={styles.buttons}>
        <Button
          submit
          tone="primary"
          icon={going ? 'restart' : 'play'}
          shortcut="R"
          disabled={!isReady}
          tip={going ? 'Begin again' : 'Simulate'}
        >
          {going ? 'Run again' : 'Run'}
        </Button>
        {going && (
          <>
            <IconButton
              icon={state === 'paused' ? 'play' : 'pause'}
              label={state === 'paused' ? 'Resume the simulation' : 'Pause the simulation'}
              disabled={isAlone}
              onPress={() => void (state === 'paused' ? actions.resume() : actions.pause())}
            />
            <IconButton
              icon="stop"
              label="Stop the simulation"
              disabled={isAlone}
              onPress={() => void actions.stop()}
            />
          </>
        )}
      </span>
    </form>
  );
}
