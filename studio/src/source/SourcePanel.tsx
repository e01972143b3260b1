/** The design's files, to read: line numbers, colour, mistakes at their lines. */
import type { ProblemView } from 'loadpath/studio';
import { useEffect, useMemo, useRef, useState } from 'react';
import { CopyButton } from '../parts/Copy.tsx';
import { Choice } from '../parts/Field.tsx';
import { highlight, type Token } from './highlight.ts';
import styles from './SourcePanel.module.css';

export interface SourcePanelProps {
  /** The design first. */
  readonly files: readonly string[];
  readonly problems: readonly ProblemView[];
  /** Grows with every change: what is shown is read again. */
  readonly revision: number;
  /** A place to go to: a problem that was pressed. */
  readonly place: { readonly file: string; readonly line: number } | null;
  readonly load: (file: string) => Promise<string>;
}

export function SourcePanel({ files, problems, revision, place, load }: SourcePanelProps) {
  const [chosen, setChosen] = useState<string | null>(null);
  const [source, setSource] = useState<{ readonly file: string; readonly text: string } | null>(
    null,
  );
  const [failure, setFailure] = useState<string | null>(null);
  const code = useRef<HTMLDivElement>(null);
  const file = chosen !== null && files.includes(chosen) ? chosen : files[0];

  useEffect(() => {
    if (place) setChosen(place.file);
  }, [place]);

  // A new revision is a new text.
  useEffect(() => {
    if (file === undefined) return;
    let isWanted = true;
    load(file).then(
      (text) => {
        if (!isWanted) return;
        setSource({ file, text });
        setFailure(null);
      },
      (error: unknown) => {
        if (isWanted) setFailure(error instanceof Error ? error.message : String(error));
      },
    );
    return () => {
      isWanted = false;
    };
  }, [file, revision, load]);

  const text = source?.file === file ? source?.text : undefined;
  const lines = useMemo(() => highlight(text ?? ''), [text]);
  const line = place?.file === file ? place?.line : undefined;
  useEffect(() => {
    if (line === undefined || text === undefined) return;
    code.current?.querySelector(`[data-line="${line}"]`)?.scrollIntoView({ block: 'center' });
  }, [line, text]);

  if (file === undefined) return null;
  const wrong = new Map(
    problems
      .filter((problem) => problem.file === file && problem.line !== undefined)
      .map((problem) => [problem.line!, problem.what]),
  );
  return (
    <section className={styles.panel} aria-label="Source">
      <div className={styles.bar}>
        <Choice
          label="File"
          inline
          value={file}
          choices={files.map((value) => ({ value, label: fromDesign(value, files[0]!) }))}
          onChange={setChosen}
        />
        {text !== undefined && <CopyButton text={text} label="Copy" />}
      </div>
      {failure !== null && <p className={styles.failure}>{failure}</p>}
      <section ref={code} className={styles.code} aria-label={file} tabIndex={0}>
        {text !== undefined &&
          numbered(lines).map(({ number, tokens }) => (
            <SourceLine
              key={number}
              number={number}
              tokens={tokens}
              problem={wrong.get(number)}
              isMarked={number === line}
            />
          ))}
      </section>
    </section>
  );
}

/** From the design's folder: what a list has room for. */
function fromDesign(file: string, design: string): string {
  const folder = design.slice(0, design.lastIndexOf('/') + 1);
  return file.startsWith(folder) ? file.slice(folder.length) : file;
}

interface SourceLineProps {
  readonly number: number;
  readonly tokens: readonly Token[];
  readonly problem: string | undefined;
  readonly isMarked: boolean;
}

function SourceLine({ number, tokens, problem, isMarked }: SourceLineProps) {
  return (
    <div
      data-line={number}
      className={isMarked || problem !== undefined ? styles.marked : styles.line}
    >
      <span className={styles.number}>{number}</span>
      <code>
        {tokens.map((token) => (
          <span key={token.at} className={styles[token.type]}>
            {token.text}
          </span>
        ))}
        {problem !== undefined && <span className={styles.problem}>{problem}</span>}
      </code>
    </div>
  );
}

function numbered(lines: readonly (readonly Token[])[]) {
  return lines.map((tokens, index) => ({ number: index + 1, tokens }));
}
