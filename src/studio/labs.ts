/**
 * The gallery: what the recorded runs of all labs came to, with their charts. A lab's design is opened
 * in a studio of its own, beside this one, so that whatever is being looked at here stays.
 */
import { chartSvg } from '../run/labs/chart.ts';
import { isSurprise, verdictWords } from '../run/labs/page.ts';
import { type ListedLab, listLabs } from '../run/node/labs.ts';
import type { LabPage, LabSummary } from './protocol.ts';
import type { Call, Routes } from './routes.ts';
import { Refused, type StudioServer } from './server.ts';

type OpenStudio = (designPath: string) => Promise<StudioServer>;

export class Gallery {
  readonly #open: OpenStudio;
  /** By lab; one studio for each that was asked for. */
  readonly #studios = new Map<string, Promise<StudioServer>>();

  constructor(open: OpenStudio) {
    this.#open = open;
  }

  readonly routes: Routes = {
    'GET /api/labs': (): readonly LabSummary[] => listLabs().flatMap((lab) => summaryOf(lab) ?? []),
    'GET /api/labs/:id': ({ parts }) => pageOf(this.#find(parts.id)),
    'POST /api/labs/:id/open': (call) => this.#openDesign(call),
  };

  async close(): Promise<void> {
    const servers = await Promise.allSettled(this.#studios.values());
    await Promise.all(
      servers.map((one) => (one.status === 'fulfilled' ? one.value.close() : undefined)),
    );
  }

  #find(id: string | undefined): ListedLab {
    const lab = listLabs().find((one) => one.id === id && one.record !== undefined);
    if (!lab) throw new Refused(404, 'unknown', `There is no lab ${id} that was recorded.`);
    return lab;
  }

  async #openDesign({ parts }: Call): Promise<{ readonly url: string }> {
    const { id, path, record } = this.#find(parts.id);
    if (record!.design === null) {
      throw new Refused(422, 'bad-option', `${id} measures parts alone: it has no design.`);
    }
    const known = this.#studios.get(id);
    const studio = known ?? this.#open(path);
    this.#studios.set(id, studio);
    // One that could not be opened may be asked for again.
    studio.catch(() => this.#studios.delete(id));
    return { url: (await studio).url };
  }
}

function summaryOf({ id, record }: ListedLab): LabSummary | undefined {
  if (!record) return undefined;
  const { title, claim, verdict } = record;
  return { id, title, claim, verdict, says: verdictWords[verdict], isSurprise: isSurprise(record) };
}

function pageOf(lab: ListedLab): LabPage {
  const { question, method, advice, why, expected, design, seedCount, figures } = lab.record!;
  return {
    ...summaryOf(lab)!,
    question,
    method,
    advice,
    why,
    expected: verdictWords[expected],
    design,
    seedCount,
    figures: figures.map((figure) =>
      figure.kind === 'table'
        ? figure
        : {
            kind: 'chart',
            title: figure.title,
            svg: chartSvg(figure),
            ...(figure.note === undefined ? {} : { note: figure.note }),
          },
    ),
  };
}
