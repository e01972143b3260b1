/**
 * The buttons that lie over the canvas, one for each thing on it: what a keyboard, a screen reader
 * or a test takes hold of. They are made once a layout; their names follow the figures a few at a
 * time, since nobody listens to three hundred names ten times a second.
 */
import type { StructuralView } from 'loadpath/studio';
import { memo, type RefObject, useEffect, useRef } from 'react';
import { pathEnds, type Selection, sameSelection } from '../state/selection.ts';
import styles from './Graph.module.css';
import { blockLabel, nodeLabel, pathLabel } from './label.ts';
import type { Figures } from './scene.ts';
import type { Target } from './targets.ts';

export interface TargetsProps {
  readonly targets: readonly Target[];
  readonly selection: Selection | null;
  readonly open: ReadonlySet<string>;
  /** The one that the Tab key leads to. */
  readonly tabKey: string | undefined;
  /** By key, for whoever moves the focus. */
  readonly buttons: RefObject<Map<string, HTMLButtonElement>>;
}

/** Names renewed at a time; all of three hundred have been within five seconds. */
const namesAFrame = 15;
const nameDelayMs = 40;

export const Targets = memo(function Targets(props: TargetsProps) {
  return props.targets.map((target) => (
    <TargetButton
      key={target.key}
      target={target}
      isSelected={sameSelection(props.selection, target.selection)}
      isOpen={target.key.startsWith('block ') ? props.open.has(target.block) : undefined}
      isTabStop={target.key === props.tabKey}
      buttons={props.buttons}
    />
  ));
});

interface TargetButtonProps {
  readonly target: Target;
  readonly isSelected: boolean;
  readonly isOpen: boolean | undefined;
  readonly isTabStop: boolean;
  readonly buttons: RefObject<Map<string, HTMLButtonElement>>;
}

const TargetButton = memo(function TargetButton(props: TargetButtonProps) {
  const { target, buttons } = props;
  const { x, y, width, height } = target.rect;
  return (
    <button
      ref={(element) => {
        if (element) buttons.current.set(target.key, element);
        return () => {
          buttons.current.delete(target.key);
        };
      }}
      type="button"
      className={styles.target}
      data-target={target.key}
      data-type={target.selection.type}
      style={{ left: x, top: y, width, height }}
      tabIndex={props.isTabStop ? 0 : -1}
      aria-pressed={props.isSelected}
      aria-expanded={props.isOpen}
    />
  );
});

/** Apart from the buttons, so that a frame does not look at each of them. */
export function useNames(
  targets: readonly Target[],
  design: StructuralView,
  figures: () => Figures,
  buttons: RefObject<Map<string, HTMLButtonElement>>,
): void {
  const next = useRef(0);
  const named = useRef<readonly Target[] | undefined>(undefined);
  useEffect(() => {
    const rename = (count: number) => {
      for (let step = 0; step < count; step++) {
        const target = targets[(next.current + step) % targets.length]!;
        const button = buttons.current.get(target.key);
        const name = nameOf(target, design, figures());
        if (button && button.ariaLabel !== name) button.ariaLabel = name;
      }
      next.current = targets.length === 0 ? 0 : (next.current + count) % targets.length;
    };
    if (named.current !== targets) {
      named.current = targets;
      rename(targets.length);
      return;
    }
    // Not in the animation frame that has the figures to draw already.
    const timer = setTimeout(() => rename(Math.min(namesAFrame, targets.length)), nameDelayMs);
    return () => clearTimeout(timer);
  }, [targets, design, figures, buttons]);
}

function nameOf({ selection, block }: Target, design: StructuralView, figures: Figures): string {
  const view = design.blocks.find(({ name }) => name === block);
  switch (selection.type) {
    case 'zone':
      return `zone ${selection.id}, in ${block}`;
    case 'path': {
      const { from, to } = pathEnds(selection.id);
      return pathLabel(from, to, figures.paths.get(selection.id));
    }
    case 'node': {
      const node = view?.nodes.find(({ id }) => id === selection.id);
      return node && view ? nodeLabel(node, view, figures.nodes.get(node.id)) : selection.id;
    }
    default:
      return view ? blockLabel(view, figures.blocks.get(view.name)) : selection.id;
  }
}
