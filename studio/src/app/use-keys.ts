/** Keys of the whole page. What has the focus comes first: fields, menus and the graph have their own. */
import { useEffect } from 'react';
import { sentenceOf, verbs, verbsFor } from '../faults/verbs.ts';
import { faultTimeUs } from '../state/fault-actions.ts';
import { timeText } from '../state/faults.ts';
import { nextMark, previousMark } from '../state/marks.ts';
import { faster, slower } from '../state/playhead.ts';
import { endUs } from '../state/run.ts';
import { panelsIn, shownRun, shownStructure } from '../state/store.ts';
import { nextTheme } from '../theme/theme.ts';
import { type KeyAction, keyAction, meantBy } from './keys.ts';
import { marksIn, type Studio, useStudio } from './studio.ts';

export function useKeys(onHelp: () => void): void {
  const studio = useStudio();
  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      if (event.defaultPrevented || isTyping(event.target) || isSomethingOpen()) return;
      const mode = studio.store.getState().hello?.mode ?? 'design';
      const action = keyAction(event, panelsIn[mode]);
      if (!action) return;
      // A button that has the focus is pressed by the space bar, as everywhere.
      if (event.key === ' ' && event.target instanceof HTMLButtonElement) return;
      event.preventDefault();
      if (action.do === 'keys') onHelp();
      else perform(action, studio);
    };
    addEventListener('keydown', pressed);
    return () => removeEventListener('keydown', pressed);
  }, [studio, onHelp]);
}

function perform(action: KeyAction, { store, actions }: Studio): void {
  const state = store.getState();
  const run = shownRun(state);
  const { playheadUs, hello } = state;
  const focused = document.activeElement instanceof HTMLElement ? document.activeElement : null;
  const target = meantBy(focused, state.selection);
  const frameUs = run?.layout?.frameUs ?? 100_000;
  switch (action.do) {
    case 'play':
      return state.playing ? actions.pausePlaying() : actions.play();
    case 'run':
      return void actions.run();
    case 'next':
    case 'previous': {
      const find = action.do === 'next' ? nextMark : previousMark;
      const mark = find(marksIn(run, state.design?.objectives), playheadUs);
      if (mark) actions.seek(mark.atUs);
      return;
    }
    case 'forth':
      return actions.seek(playheadUs + frameUs);
    case 'back':
      return actions.seek(playheadUs - frameUs);
    case 'start':
      return actions.seek(0);
    case 'end':
      if (hello?.mode === 'live') return actions.follow();
      return actions.seek(run ? endUs(run) : 0);
    case 'faster':
      return actions.setSpeed(faster(state.speed));
    case 'slower':
      return actions.setSpeed(slower(state.speed));
    case 'theme':
      return actions.setTheme(nextTheme(state.theme));
    case 'panel':
      return actions.togglePanel();
    case 'show':
      return actions.setPanel(action.panel);
    case 'clear':
      return actions.select(null);
    case 'faults': {
      if (!target || hello?.mode === 'report') return;
      const box = focused?.getBoundingClientRect();
      const isOnPage = box && focused !== document.body;
      const [x, y] = isOnPage ? [box.right + 8, box.top] : [innerWidth / 3, innerHeight / 4];
      return actions.openFaultMenu({ target, x, y });
    }
    case 'kill': {
      const kill = verbs.find(({ id }) => id === 'kill');
      const structure = shownStructure(state);
      if (!target || !kill || !structure || !verbsFor(target).includes(kill)) return;
      if (hello?.mode === 'report') return;
      const isLive = hello?.mode === 'live';
      const at = isLive ? null : timeText(faultTimeUs(state, run));
      const sentence = sentenceOf({ verb: kill, target, at, lasts: '' }, structure);
      return isLive ? actions.askLive(sentence) : void actions.inflict(sentence);
    }
    default:
      return;
  }
}

/** Menus and dialogs have keys of their own, and what they do not know is nobody's. */
function isSomethingOpen(): boolean {
  return document.querySelector('dialog[open], [role="menu"], [role="dialog"]') !== null;
}

function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLInputElement ||
    target instanceof HTMLSelectElement ||
    target instanceof HTMLTextAreaElement ||
    (target instanceof HTMLElement && target.isContentEditable)
  );
}
