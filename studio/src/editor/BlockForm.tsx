/** A block: its name, what it costs, whom it calls, and its options. */
import type { JsonDesign, ProblemView } from 'loadpath/studio';
import { type ReactNode, useState } from 'react';
import { Button, IconButton } from '../parts/Button.tsx';
import { Choice, Field } from '../parts/Field.tsx';
import {
  type BoardBlock,
  blocksOf,
  connect,
  isFields,
  leads,
  mayCall,
  nameProblem,
  proxyKind,
  rename,
  setOption,
} from './board.ts';
import { CallsForm } from './CallsForm.tsx';
import { CostForm } from './CostForm.tsx';
import styles from './Editor.module.css';
import type { OptionsFormProps } from './EditorView.tsx';

export interface BlockFormProps {
  readonly design: JsonDesign;
  readonly block: BoardBlock;
  readonly purpose: string;
  readonly problems: readonly ProblemView[];
  readonly optionsForm: (props: OptionsFormProps) => ReactNode;
  readonly onEdit: (to: (design: JsonDesign) => JsonDesign, label?: string) => void;
  readonly onRename: (name: string) => void;
  readonly onRemove: () => void;
}

export function BlockForm(props: BlockFormProps) {
  const { design, block, problems, onEdit } = props;
  const { name, kind, cost, latency, calls, routes, sites, to, ...options } = block;
  const set = (option: string, value: unknown) =>
    onEdit((former) => setOption(former, name, option, value), `${name}.${option}`);
  return (
    <>
      <h2>
        {name} <span className={styles.sub}>{kind}</span>
      </h2>
      <NameField {...props} />
      <p className={styles.note}>{props.purpose}</p>
      <Problems problems={problems} />
      {kind === 'service' && (
        <CostForm
          title="What a request costs"
          cost={cost}
          hasCpu
          onChange={(value) => set('cost', value)}
        />
      )}
      {kind === 'external' && (
        <CostForm
          title="How long it takes"
          cost={latency}
          onChange={(value) => set('latency', value)}
        />
      )}
      {kind === 'gateway' && (
        <RoutesForm
          routes={isFields(routes) ? routes : {}}
          onChange={(value) => set('routes', value)}
        />
      )}
      {leads(kind) && <p className={styles.note}>Leads to {String(to ?? 'nobody yet')}.</p>}
      {kind === proxyKind && (
        <RoutesForm
          routes={isFields(sites) ? sites : {}}
          onChange={(value) => set('sites', value)}
        />
      )}
      {kind !== 'gateway' && kind !== proxyKind && !leads(kind) && mayCall(kind) && (
        <CallsForm calls={calls} onChange={(value) => set('calls', value)} />
      )}
      {mayCall(kind) && (
        <ConnectTo
          design={design}
          from={name}
          onConnect={(to) => onEdit((former) => connect(former, name, to))}
        />
      )}
      {props.optionsForm({ block: name, kind, options, problems, onOption: set })}
      <Button tone="danger" small icon="trash" shortcut="Delete" onPress={props.onRemove}>
        Remove {name}
      </Button>
    </>
  );
}

function NameField({ design, block, onEdit, onRename }: BlockFormProps) {
  const [typed, setTyped] = useState(block.name);
  const problem = nameProblem(design, block.name, typed);
  const take = () => {
    if (problem || typed === block.name) return;
    onEdit((former) => rename(former, block.name, typed));
    onRename(typed);
  };
  return (
    <div onBlur={take}>
      <Field
        label="Name"
        value={typed}
        onChange={setTyped}
        onEnter={take}
        problem={problem}
        tip="Enter takes it, everywhere it stands"
      />
    </div>
  );
}

export function Problems({ problems }: { readonly problems: readonly ProblemView[] }) {
  if (problems.length === 0) return null;
  return (
    <ul className={styles.problems} aria-label="What is wrong">
      {problems.map(({ at, what }) => (
        <li key={`${at} ${what}`}>
          <strong>{at}</strong> {what}
        </li>
      ))}
    </ul>
  );
}

function RoutesForm({
  routes,
  onChange,
}: {
  readonly routes: Readonly<Record<string, unknown>>;
  readonly onChange: (routes: Readonly<Record<string, unknown>>) => void;
}) {
  const entries = Object.entries(routes);
  return (
    <section>
      <h3>Routes</h3>
      {entries.length === 0 && <p className={styles.note}>It leads nowhere yet.</p>}
      {entries.map(([path, to], index) => (
        <div key={String(to)} className={styles.row}>
          <input
            className={styles.small}
            aria-label={`Path to ${to}`}
            value={path}
            spellCheck={false}
            onChange={(event) => {
              const others = entries.filter((_, at) => at !== index);
              if (others.some(([other]) => other === event.target.value)) return;
              onChange(
                Object.fromEntries(
                  entries.map((entry, at) => (at === index ? [event.target.value, to] : entry)),
                ),
              );
            }}
          />
          <span>→ {String(to)}</span>
          <IconButton
            small
            icon="close"
            label={`No longer route to ${to}`}
            onPress={() => onChange(Object.fromEntries(entries.filter((_, at) => at !== index)))}
          />
        </div>
      ))}
    </section>
  );
}

function ConnectTo({
  design,
  from,
  onConnect,
}: {
  readonly design: JsonDesign;
  readonly from: string;
  readonly onConnect: (to: string) => void;
}) {
  const others = blocksOf(design).filter(({ name }) => name !== from);
  if (others.length === 0) return null;
  return (
    <Choice
      label="Connect to"
      value=""
      choices={[
        { value: '', label: 'Choose a block …' },
        ...others.map(({ name }) => ({ value: name, label: name })),
      ]}
      onChange={(to) => to !== '' && onConnect(to)}
    />
  );
}
