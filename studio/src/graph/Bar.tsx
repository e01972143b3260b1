/** Below the graph: how it is seen, and the zones. */
import type { StructuralView } from 'loadpath/studio';
import { Button, IconButton } from '../parts/Button.tsx';
import type { Point } from '../parts/plane/curve.ts';
import type { ViewControl } from '../parts/plane/use-view.ts';
import type { Viewport } from '../parts/plane/viewport.ts';
import type { Selection } from '../state/selection.ts';
import styles from './Graph.module.css';

export interface BarProps {
  readonly design: StructuralView;
  readonly view: Viewport;
  readonly control: ViewControl;
  readonly selection: Selection | null;
  readonly panel: 'search' | 'legend' | undefined;
  readonly onPanel: (panel: 'search' | 'legend' | undefined) => void;
  readonly allOpen: boolean;
  readonly onOpenAll: () => void;
  readonly onSelect: (selection: Selection | null) => void;
  readonly onContext: (target: Selection, at: Point) => void;
}

export function Bar(props: BarProps) {
  const { design, view, control, selection, panel, onPanel } = props;
  return (
    <div className={styles.bar} data-still="">
      <div className={styles.tools} role="toolbar" aria-label="View of the graph">
        <IconButton
          small
          icon="minus"
          label="Smaller"
          shortcut="-"
          onPress={() => control.zoomBy(0.8)}
        />
        <button
          type="button"
          className={styles.scale}
          data-tip="Actual size"
          data-key="0"
          onClick={() => control.zoomTo(1)}
        >
          {Math.round(view.scale * 100)} %
        </button>
        <IconButton
          small
          icon="plus"
          label="Larger"
          shortcut="+"
          onPress={() => control.zoomBy(1.25)}
        />
        <IconButton small icon="fit" label="Show all" shortcut="F" onPress={control.fitAll} />
        <IconButton
          small
          icon="search"
          label="Find"
          shortcut="/"
          pressed={panel === 'search'}
          onPress={() => onPanel(panel === 'search' ? undefined : 'search')}
        />
        <Button
          small
          tone="quiet"
          pressed={props.allOpen}
          tip="Every block shows its nodes by zone. A single one: double click, or O"
          onPress={props.onOpenAll}
        >
          Nodes
        </Button>
        <Button
          small
          tone="quiet"
          pressed={panel === 'legend'}
          tip="What the lines, fills and signs mean"
          onPress={() => onPanel(panel === 'legend' ? undefined : 'legend')}
        >
          Legend
        </Button>
      </div>
      {design.zones.length > 1 && (
        <div className={styles.zones} role="toolbar" aria-label="Zones">
          {design.zones.map(({ name }) => {
            const zone = { type: 'zone', id: name } as const;
            const isSelected = selection?.type === 'zone' && selection.id === name;
            return (
              <button
                key={name}
                type="button"
                className={styles.zone}
                aria-pressed={isSelected}
                data-tip="Show its nodes; right click or the menu key to break it"
                onClick={() => props.onSelect(isSelected ? null : zone)}
                onContextMenu={(event) => {
                  event.preventDefault();
                  const box = event.currentTarget.getBoundingClientRect();
                  props.onContext(zone, { x: box.x, y: box.y });
                }}
              >
                zone {name}
              </button>
            );
          })}
        </div>
      )}
    </div>
  );
}
