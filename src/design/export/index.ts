/**
 * A gateway of a design as the configuration of a proxy that exists, and what that proxy cannot do.
 * Text out, nothing is read or written; the same design gives the same text.
 */
import type { StructuralView } from '../structure.ts';
import { envoyOf, envoyStages } from './envoy.ts';
import { haproxyOf } from './haproxy.ts';
import { haproxyStages } from './haproxy-stages.ts';
import { nginxOf, nginxStages } from './nginx.ts';
import { type Remark, Remarks } from './remarks.ts';
import { type ExportOptions, type ProxyTask, taskOf } from './task.ts';

export type { Remark } from './remarks.ts';
export type { ExportOptions, Server, Target } from './task.ts';

export const products = ['nginx', 'haproxy', 'envoy'] as const;
export type Product = (typeof products)[number];

export interface Exported {
  readonly product: Product;
  readonly gateway: string;
  /** As the product likes to call it. */
  readonly file: string;
  readonly text: string;
  readonly remarks: readonly Remark[];
}

const writers: Readonly<
  Record<
    Product,
    {
      readonly file: string;
      readonly stages: readonly string[];
      readonly write: (task: ProxyTask, remarks: Remarks) => string;
    }
  >
> = {
  nginx: { file: 'nginx.conf', stages: nginxStages, write: nginxOf },
  haproxy: { file: 'haproxy.cfg', stages: haproxyStages, write: haproxyOf },
  envoy: { file: 'envoy.yaml', stages: envoyStages, write: envoyOf },
};

/** Throws `LoadpathError('bad-option')` for a gateway or service that is not there, `bad-design` for text that no configuration can carry. */
export function exportFor(
  product: Product,
  view: StructuralView,
  options: ExportOptions = {},
): Exported {
  const remarks = new Remarks();
  const { file, stages, write } = writers[product];
  const task = taskOf(view, options, remarks, stages);

  const text = write(task, remarks);
  return { product, gateway: task.gateway, file, text, remarks: remarks.all };
}

/** What could not be expressed, as a page. */
export function remarksPage({ product, gateway, file, remarks }: Exported): string {
  const cell = (text: string) => text.replaceAll('|', '\\|').replace(/[\r\n]+/g, ' ');
  const rows = remarks.map(
    ({ option, kind, instead, why }) => `| ${[option, kind, instead, why].map(cell).join(' | ')} |`,
  );
  return [
    `# What ${file} does otherwise than ${gateway}`,
    '',
    remarks.length === 0
      ? `${product} does all of it.`
      : 'Closed: refused, since nothing else would guard it. Missing: nothing of it is there. Approximated: something like it.',
    '',
    ...(rows.length > 0
      ? ['| option | | instead | why |', '| --- | --- | --- | --- |', ...rows, '']
      : []),
  ].join('\n');
}
