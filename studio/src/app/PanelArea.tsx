/** The panel beside the graph: a rail of tabs, as wide as one likes. */
import { type PointerEvent, Suspense, useMemo, useState } from 'react';
import { IconButton } from '../parts/Button.tsx';
import type { IconName } from '../parts/Icon.tsx';
import { type Tab, Tabs } from '../parts/Tabs.tsx';
import { type Panel, panels, panelsIn, shownRun } from '../state/store.ts';
import styles from './PanelArea.module.css';
import { viewOf } from './panels/index.ts';
import { useActions, useStudioState } from './studio.ts';

interface Words {
  readonly label: string;
  readonly icon: IconName;
  readonly tip: string;
}

const words: Readonly<Record<Panel, Words>> = {
  verdict: { label: 'Verdict', icon: 'verdict', tip: 'Which promises were kept, what happened' },
  charts: { label: 'Charts', icon: 'charts', tip: 'Rate, latency, errors, queues over time' },
  faults: { label: 'Faults', icon: 'bolt', tip: 'What goes wrong in the next run, and when' },
  inspect: {
    label: 'Inspect',
    icon: 'inspect',
    tip: 'Figures, story and options of what is selected',
  },
  requests: {
    label: 'Requests',
    icon: 'requests',
    tip: 'Single requests, slowest first, hop by hop',
  },
  messages: { label: 'Messages', icon: 'messages', tip: 'Who sent what to whom, when' },
  compare: { label: 'Compare', icon: 'compare', tip: 'Two runs side by side' },
  sweep: { label: 'Sweep', icon: 'sweep', tip: 'One option over a range: where it gives in' },
  hunt: { label: 'Hunt', icon: 'hunt', tip: 'Random faults until a promise breaks' },
  source: { label: 'Source', icon: 'source', tip: 'The design’s files' },
};

const widthKey = 'loadpath.panel';
const widthPreset = 440;
const widthMin = 340;

export function PanelArea() {
  const actions = useActions();
  const panel = useStudioState((state) => state.panel);
  const isOpen = useStudioState((state) => state.panelOpen);
  const mode = useStudioState((state) => state.hello?.mode ?? 'design');
  const faultCount = useStudioState(({ faultList }) => faultList.filter(({ on }) => on).length);
  const findingCount = useStudioState(({ hunt }) => hunt?.findings.length ?? 0);
  const hasPlace = useStudioState(({ design }) => (design?.problems.length ?? 0) > 0);
  const outcome = useStudioState((state) => shownRun(state)?.report);
  const [width, setWidth] = useState(storedWidth);
  const [isWide, setWide] = useState(false);
  const View = useMemo(() => viewOf(panel), [panel]);

  const badges: Partial<Record<Panel, Tab<Panel>['badge']>> = {
    ...(faultCount > 0 && { faults: { text: String(faultCount), tone: 'plain' as const } }),
    ...(findingCount > 0 && { hunt: { text: String(findingCount), tone: 'bad' as const } }),
    ...(hasPlace && { source: { text: '!', tone: 'bad' as const } }),
    ...(outcome && brokenCount(outcome) > 0
      ? { verdict: { text: String(brokenCount(outcome)), tone: 'bad' as const } }
      : {}),
  };
  const tabs = panelsIn[mode].map((id) => ({
    id,
    ...words[id],
    shortcut: id === 'source' ? 'S' : String(panels.indexOf(id) + 1),
    badge: badges[id],
  }));

  // As data, since no element that is a separator by itself can be dragged.
  const separator = {
    role: 'separator',
    'aria-orientation': 'vertical',
    'aria-label': 'Width of the panel',
    'aria-valuenow': width,
    'aria-valuemin': widthMin,
    'aria-valuemax': 1_600,
  } as const;

  function resize(value: number): void {
    const most = Math.max(widthMin, innerWidth - 320);
    const next = Math.round(Math.max(widthMin, Math.min(most, value)));
    setWidth(next);
    storeWidth(next);
  }

  function dragged(event: PointerEvent<HTMLElement>): void {
    if (event.currentTarget.hasPointerCapture(event.pointerId)) {
      resize(innerWidth - event.clientX - railWidth);
    }
  }

  return (
    <aside className={styles.area}>
      {isOpen && (
        <>
          <div
            {...separator}
            tabIndex={0}
            className={styles.handle}
            onPointerDown={(event) => event.currentTarget.setPointerCapture(event.pointerId)}
            onPointerMove={dragged}
            onDoubleClick={() => resize(widthPreset)}
            onKeyDown={(event) => {
              const step = { ArrowLeft: 24, ArrowRight: -24 }[event.key];
              if (step === undefined) return;
              event.preventDefault();
              resize(width + step);
            }}
          />
          <div
            id="panel"
            role="tabpanel"
            aria-labelledby={`panel-tab-${panel}`}
            className={styles.panel}
            style={{ width: isWide ? Math.max(width, Math.round(innerWidth * 0.62)) : width }}
          >
            <div className={styles.inside}>
              <header className={styles.head}>
                <h2>{words[panel].label}</h2>
                <span className={styles.about}>
                  {mode === 'live' && panel === 'faults'
                    ? 'What is done to the running system'
                    : words[panel].tip}
                </span>
                <IconButton
                  small
                  icon="wide"
                  label={isWide ? 'Narrow panel' : 'Wide panel'}
                  pressed={isWide}
                  onPress={() => setWide(!isWide)}
                />
                <IconButton
                  small
                  icon="close"
                  label="Close the panel"
                  shortcut="\"
                  onPress={actions.togglePanel}
                />
              </header>
              <div className={styles.body}>
                <Suspense>
                  <View />
                </Suspense>
              </div>
            </div>
          </div>
        </>
      )}
      <nav className={styles.rail} aria-label="Panels">
        <Tabs
          tabs={tabs}
          chosen={panel}
          onChoose={actions.setPanel}
          label="Panels"
          controls="panel"
          vertical
        />
      </nav>
    </aside>
  );
}

const railWidth = 69;

function brokenCount(report: {
  readonly objectives: readonly { readonly holds: boolean }[];
  readonly invariants: readonly { readonly verdict: string }[];
}): number {
  return (
    report.objectives.filter(({ holds }) => !holds).length +
    report.invariants.filter(({ verdict }) => verdict === 'violated').length
  );
}

function storedWidth(): number {
  try {
    const width = Number(localStorage.getItem(widthKey));
    return width >= widthMin ? Math.min(width, innerWidth - 320) : widthPreset;
  } catch {
    return widthPreset;
  }
}

function storeWidth(width: number): void {
  try {
    localStorage.setItem(widthKey, String(width));
  } catch {
    // It then lasts as long as the page.
  }
}
