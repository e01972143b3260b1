/** All labs: the list, and the page of the one that is looked at. */
import type { LabPage, LabSummary } from 'loadpath/studio';
import { useState } from 'react';
import { Button } from '../parts/Button.tsx';
import { Dialog } from '../parts/Dialog.tsx';
import { useAnswer } from '../parts/use-answer.ts';
import styles from './LabsDialog.module.css';
import { pictureOf } from './picture.ts';

export interface Labs {
  labs(): Promise<readonly LabSummary[]>;
  lab(id: string): Promise<LabPage>;
  openLab(id: string): Promise<string>;
}

export interface LabsDialogProps {
  readonly labs: Labs;
  readonly onClose: () => void;
}

export default function LabsDialog({ labs, onClose }: LabsDialogProps) {
  const [shown, setShown] = useState<string | null>(null);
  const [list] = useAnswer(() => labs.labs(), 'all');
  if (shown !== null) {
    return (
      <Dialog title="Labs" wide onClose={onClose}>
        <Page labs={labs} id={shown} onBack={() => setShown(null)} />
      </Dialog>
    );
  }
  return (
    <Dialog title="Labs" wide onClose={onClose}>
      {list.state === 'asking' && <p className={styles.dim}>Looking for labs …</p>}
      {list.state === 'refused' && <p>{list.why}</p>}
      {list.state === 'there' && list.value.length === 0 && (
        <p className={styles.dim}>There are no labs beside this copy of Loadpath.</p>
      )}
      {list.state === 'there' && (
        <ul className={styles.list}>
          {list.value.map((lab) => (
            <li key={lab.id}>
              <button type="button" onClick={() => setShown(lab.id)}>
                <Verdict {...lab} />
                <span className={styles.title}>{lab.title}</span>
                <span className={styles.claim}>{lab.claim}</span>
              </button>
            </li>
          ))}
        </ul>
      )}
    </Dialog>
  );
}

function Verdict({ verdict, says, isSurprise }: LabSummary) {
  return (
    <span className={styles.verdict} data-verdict={verdict}>
      {says}
      {isSurprise ? ' (!)' : ''}
    </span>
  );
}

interface PageProps {
  readonly labs: Labs;
  readonly id: string;
  readonly onBack: () => void;
}

function Page({ labs, id, onBack }: PageProps) {
  const [page] = useAnswer(() => labs.lab(id), id);
  if (page.state === 'asking') return <p className={styles.dim}>Reading {id} …</p>;
  if (page.state === 'refused') return <p>{page.why}</p>;
  const lab = page.value;
  return (
    <article className={styles.page}>
      <nav>
        <Button onPress={onBack}>All labs</Button>
        {lab.design !== null && <OpenDesign labs={labs} id={id} name={lab.design} />}
      </nav>
      <h3>{lab.title}</h3>
      <blockquote>{lab.claim}</blockquote>
      <p>
        <Verdict {...lab} /> {lab.why}
      </p>
      {lab.isSurprise && <p>This is a finding: expected was “{lab.expected}”.</p>}
      <h4>What is asked</h4>
      <p>{lab.question}</p>
      <h4>How it is measured</h4>
      <p>
        {lab.method} {lab.seedCount === 0 ? '' : `Over ${lab.seedCount} seeds.`}
      </p>
      <h4>What came out</h4>
      {lab.figures.map((figure) => (
        <Figure key={figure.title} figure={figure} />
      ))}
      <h4>What follows</h4>
      <p>{lab.advice}</p>
    </article>
  );
}

function Figure({ figure }: { readonly figure: LabPage['figures'][number] }) {
  const isDark = document.documentElement.dataset.theme === 'dark';
  return (
    <figure>
      {figure.kind === 'chart' ? (
        <img src={pictureOf(figure.svg, isDark)} alt={figure.title} />
      ) : (
        <table>
          <caption>{figure.title}</caption>
          <thead>
            <tr>
              {figure.head.map((cell) => (
                <th key={cell} scope="col">
                  {cell}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {figure.rows.map((row) => (
              <tr key={row.join()}>
                {row.map((cell, column) => (
                  <td key={figure.head[column]}>{cell}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {figure.note !== undefined && <figcaption>{figure.note}</figcaption>}
    </figure>
  );
}

/** Its studio is another page: what is open here stays as it is. */
function OpenDesign({
  labs,
  id,
  name,
}: {
  readonly labs: Labs;
  readonly id: string;
  readonly name: string;
}) {
  const [at, setAt] = useState<string | null>(null);
  const [why, setWhy] = useState<string | null>(null);
  if (at !== null) {
    return (
      <a href={at} target="_blank" rel="noreferrer">
        {name} is open here
      </a>
    );
  }
  return (
    <>
      <Button
        onPress={() => {
          labs
            .openLab(id)
            .then(setAt, (error: unknown) =>
              setWhy(error instanceof Error ? error.message : String(error)),
            );
        }}
      >
        Open its design
      </Button>
      {why !== null && <span>{why}</span>}
    </>
  );
}
