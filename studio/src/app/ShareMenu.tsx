/** What can be taken away: a file that opens anywhere, figures, a diagram, a link. */
import { copyText } from '../parts/Copy.tsx';
import { MenuButton, type MenuItem } from '../parts/Menu.tsx';
import { fragmentOf, linkMax } from '../share/link.ts';
import { fileStem, saveFile } from '../share/save.ts';
import { shownRun } from '../state/store.ts';
import { useStudio, useStudioState } from './studio.ts';

export function ShareMenu() {
  const { actions, client } = useStudio();
  const runId = useStudioState((state) => state.shownRun);
  const report = useStudioState((state) => shownRun(state)?.report);
  const design = useStudioState((state) => state.design);
  const mode = useStudioState((state) => state.hello?.mode);
  const stem = fileStem(design?.structure?.design ?? 'design', report?.seed ?? 1);
  const items: MenuItem[] = [];
  if (mode !== 'report') {
    items.push({
      label: 'Report as one HTML file',
      detail: 'Opens offline: graph, charts, timeline, verdict',
      icon: 'file',
      disabled: !report || !runId,
      onPress: () =>
        void actions.attempt(async () => saveFile(`${stem}.html`, await client.html(runId!))),
    });
  }
  items.push({
    label: 'Figures as JSON',
    detail: 'What sim --json prints',
    icon: 'download',
    disabled: !report,
    onPress: () => saveFile(`${stem}.json`, `${JSON.stringify(report, null, 2)}\n`),
  });
  if (mode !== 'report') {
    items.push({
      label: 'Copy the graph as Mermaid',
      detail: 'For READMEs and wikis',
      icon: 'copy',
      onPress: () =>
        void actions.attempt(async () => {
          await copyText(await client.mermaid());
          actions.notice('good', 'The graph is on the clipboard, as a Mermaid flowchart.');
        }),
    });
  }
  const data = design?.data;
  if (data) {
    items.push({
      label: 'Copy a link to the design',
      detail: 'The design is in the link itself; nothing is uploaded',
      icon: 'link',
      onPress: () =>
        void actions.attempt(async () => {
          const fragment = await fragmentOf(data);
          if (fragment.length > linkMax) {
            throw new Error('The design is too large for a link. Share its JSON file instead.');
          }
          await copyText(`${location.origin}${location.pathname}#${fragment}`);
          actions.notice(
            'good',
            'The link is on the clipboard, without your token: whoever gets it opens it with a Studio of their own, which offers the design.',
          );
        }),
    });
  }
  return (
    <MenuButton label="Share" tone="plain" icon="share" alignEnd items={items}>
      Share
    </MenuButton>
  );
}
