/** The page of a lab, and the page that lists all of them: Markdown from what runs have left. */
import type { Figure, Table } from './figure.ts';
import type { LabRecord, LabVerdict } from './lab.ts';

/** What a verdict says of a claim. */
export const verdictWords: Readonly<Record<LabVerdict, string>> = {
  true: 'true',
  false: 'false',
  conditional: 'it depends',
  partly: 'partly true',
  compare: 'compared',
};

/** Where the pictures of a page stand beside it: those of its charts, from 1 on. */
export function pictureName(id: string, number: number): string {
  return `${id}-${number}.svg`;
}

export function labPage(record: LabRecord): string {
  const { id, title, claim, question, method, advice, verdict, why, seedCount, design } = record;
  const chance = seedCount === 0 ? 'Chance plays no part.' : `Over ${seedCount} seeds.`;
  const opens = design === null ? '' : ` Its design opens with \`loadpath studio labs/${id}.ts\`.`;
  return [
    `# ${title}`,
    `> ${claim}`,
    `**${capital(verdictWords[verdict])}.** ${why}`,
    ...(isSurprise(record)
      ? [`This is a finding: expected was *${verdictWords[record.expected]}*.`]
      : []),
    '## What is asked',
    question,
    '## How it is measured',
    `${method} ${chance}`,
    '## What came out',
    ...figureParts(record),
    '## What follows',
    advice,
    '---',
    `[All labs](README.md) · generated from a run: \`loadpath lab run ${id} --record\`.${opens}`,
    '',
  ].join('\n\n');
}

function figureParts({ id, figures }: LabRecord): string[] {
  let pictures = 0;
  return figures.flatMap((figure) => {
    const note = figure.note === undefined ? [] : [figure.note];
    if (figure.kind === 'table') return [`**${figure.title}**`, tableText(figure), ...note];
    const picture = `![${altOf(figure)}](${pictureName(id, ++pictures)})`;
    return [picture, ...note];
  });
}

/** What who cannot see it should know of a chart: what it shows, and of which things. */
function altOf(figure: Exclude<Figure, Table>): string {
  const names =
    figure.kind === 'marks'
      ? figure.rows.map(({ name }) => name)
      : figure.series.map(({ name }) => name);
  return `${figure.title}: ${names.join(', ')}`.replace(/[[\]]/g, '');
}

export function tableText({ head, rows }: Table): string {
  const cells = (row: readonly (string | number)[]) =>
    `| ${row.map((cell) => String(cell).replace(/\|/g, '\\|')).join(' | ')} |`;
  const rules = head.map((_, column) =>
    rows.every((row) => isFigure(row[column])) ? '---:' : '---',
  );
  return [cells(head), cells(rules), ...rows.map(cells)].join('\n');
}

function isFigure(cell: string | number | undefined): boolean {
  return typeof cell === 'number' || /^[-–]?[\d<>∞]/.test(cell ?? '');
}

export function isSurprise({ expected, verdict }: LabRecord): boolean {
  return expected !== verdict;
}

/** Every lab with its verdict, in the order given; what came out other than expected is said on top. */
export function indexPage(records: readonly LabRecord[]): string {
  const row = (record: LabRecord) =>
    `| [${record.title}](${record.id}.md) | ${record.claim.replace(/\|/g, '\\|')} | ${verdictWords[record.verdict]} | ${record.why.replace(/\|/g, '\\|')} |`;
  const counts = (Object.keys(verdictWords) as LabVerdict[])
    .map((verdict) => ({
      verdict,
      count: records.filter((record) => record.verdict === verdict).length,
    }))
    .filter(({ count }) => count > 0)
    .map(({ verdict, count }) => `${count} ${verdictWords[verdict]}`);
  const surprises = records.filter(isSurprise).map(({ title, id }) => `[${title}](${id}.md)`);
  return [
    '# Labs',
    'A lab is an experiment that settles one claim: it measures, and the verdict is worked out from what was measured. `loadpath lab` lists them, `loadpath lab run <id>` runs one, `loadpath lab run all` runs them all. Each is one file in `labs/`.',
    `${records.length} labs: ${counts.join(', ')}.${surprises.length > 0 ? ` Other than expected: ${surprises.join(', ')}.` : ''}`,
    ['| lab | claim | verdict | because |', '| --- | --- | --- | --- |', ...records.map(row)].join(
      '\n',
    ),
    '',
  ].join('\n\n');
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
