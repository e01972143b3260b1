/** What a reloaded tab goes on with: which run it showed, and what was typed. Kept per tab. */
import type { Edits } from './edits.ts';
import type { FaultList } from './faults.ts';
import type { RunForm } from './form.ts';
import { type Panel, panels, type StudioState } from './store.ts';

export interface Session {
  readonly shownRun: string | null;
  readonly playheadUs: number;
  readonly speed: number;
  readonly panel: Panel;
  readonly form: RunForm;
  readonly faultList: FaultList;
  readonly edits: Edits;
}

/** Another version may have written other things; then the tab begins anew. */
const version = 1;

export function sessionText(state: StudioState): string {
  const { shownRun, playheadUs, speed, panel, form, faultList, edits } = state;
  const session: Session = { shownRun, playheadUs, speed, panel, form, faultList, edits };
  return JSON.stringify({ version, ...session });
}

export function sessionOf(text: string | null): Session | undefined {
  if (text === null) return undefined;
  try {
    const value = JSON.parse(text) as Partial<Session & { readonly version: number }> | null;
    if (value?.version !== version || !value.form || !value.edits) return undefined;
    if (!Array.isArray(value.faultList) || !panels.includes(value.panel!)) return undefined;
    return value as Session;
  } catch {
    return undefined;
  }
}
