/** A few letters, and the graph goes there. */
import type { StructuralView } from 'loadpath/studio';
import { type KeyboardEvent, useEffect, useId, useRef, useState } from 'react';
import { Icon } from '../parts/Icon.tsx';
import type { Selection } from '../state/selection.ts';
import styles from './Graph.module.css';
import { search } from './search.ts';

export interface SearchProps {
  readonly design: StructuralView;
  readonly onChoose: (selection: Selection) => void;
  readonly onClose: () => void;
}

export function Search({ design, onChoose, onClose }: SearchProps) {
  const [query, setQuery] = useState('');
  const [at, setAt] = useState(0);
  const list = useId();
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => input.current?.focus(), []);
  const matches = search(design, query);
  const chosen = Math.min(at, matches.length - 1);
  const pressed = (event: KeyboardEvent) => {
    event.stopPropagation();
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    if (step !== 0) {
      event.preventDefault();
      setAt((chosen + step + matches.length) % Math.max(1, matches.length));
    } else if (event.key === 'Enter' && matches[chosen]) onChoose(matches[chosen].selection);
    else if (event.key === 'Escape') onClose();
  };
  return (
    <search className={styles.search}>
      <Icon name="search" size={14} />
      <input
        ref={input}
        role="combobox"
        aria-label="Find a block, node, zone or path"
        aria-expanded={matches.length > 0}
        aria-controls={list}
        aria-activedescendant={matches[chosen] ? `${list}-${chosen}` : undefined}
        placeholder="Find a block, node, zone or path"
        value={query}
        spellCheck={false}
        onChange={(event) => {
          setQuery(event.target.value);
          setAt(0);
        }}
        onKeyDown={pressed}
        onBlur={onClose}
      />
      {query.trim() !== '' && (
        <div className={styles.matches} id={list} role="listbox" aria-label="Found">
          {matches.map((match, index) => (
            <div
              key={`${match.selection.type} ${match.title}`}
              id={`${list}-${index}`}
              role="option"
              tabIndex={-1}
              aria-selected={index === chosen}
              className={styles.match}
              onPointerDown={(event) => {
                event.preventDefault();
                onChoose(match.selection);
              }}
            >
              <span>{match.title}</span>
              <span className={styles.matchKind}>{match.subtitle}</span>
            </div>
          ))}
          {matches.length === 0 && <div className={styles.noMatch}>Nothing has such a name.</div>}
        </div>
      )}
    </search>
  );
}
