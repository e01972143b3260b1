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
import { NamingRound } from './naming-round.ts';
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
      data-id={target.selection.id}
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
  const round = useRef<NamingRound | undefined>(undefined);
  useEffect(() => {
    round.current ??= new NamingRound((target, { design: view, figures: now }) => {
      const button = buttons.current.get(target.key);
      const name = nameOf(target, view, now());
      if (button && button.ariaLabel !== name) button.ariaLabel = name;
    });
    round.current.follow(targets, { design, figures });
  }, [targets, design, figures, buttons]);
  useEffect(
    () => () => {
      round.current?.stop();
      round.current = undefined;
    },
    [],
  );
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
