/**
 * `external('stripe', { url, stub })`: somebody else's service. Live, calls go to `url` for real; in
 * the simulator, which cannot reach out, `stub` answers after `latency`. Callers cannot tell.
 */

import type { Block, Declaration } from '../../../host/declaration.ts';
import { configure, show } from '../../../kit/config.ts';
import { type Draw, drawKnob, lognormal, readDraw } from '../../../kit/draw.ts';
import { settle } from '../../../kit/settings.ts';
import { parseUrl } from '../../../kit/url.ts';
import type { Fetcher } from '../../../path/fetcher-handle.ts';
import { type PathOptions, policyTables } from '../../../path/policy.ts';
import { serviceBlock } from './block.ts';
import { type Fetch, service } from './index.ts';

export interface ExternalOptions {
  /** Where it is when live. Without it the stub answers there too. */
  readonly url?: string;
  /** Answers in the simulator. Without it: 200 with an empty body. */
  readonly stub?: Fetch<object>;
  /** How long the stub takes. Default: a median of 80 ms, 400 ms at the 99th percentile. */
  readonly latency?: Draw;
  readonly policy?: PathOptions;
}

export interface External extends Declaration<Fetcher> {
  readonly kind: 'external';
}

export function external(name: string, options: ExternalOptions = {}): External {
  const { url, stub, latency, policy, ...rest } = options;
  const unknown = configure(name, {}, rest, ['url', 'stub', 'latency', 'policy']).problems;
  const settled = settle(`${name}.latency`, latencyKnob, latency);
  const drawn = typeof settled === 'string' ? readDraw(settled) : undefined;
  const stands = service(name, {
    instances: 1,
    openMax: 100_000,
    cost: { wait: drawn ?? latency ?? usual },
    fetch: stub ?? (() => new Response(null, { status: 200 })),
    ...(policy ? { policy } : {}),
  });
  const wrong =
    url === undefined || parseUrl(url)
      ? []
      : [{ at: `${name}.url`, what: `must be an absolute URL, got ${show(url)}` }];
  if (url !== undefined && policy?.health && policy.health.path === undefined) {
    const what = 'must be given: nobody outside answers for an instance';
    wrong.push({ at: `${name}.policy.health.path`, what });
  }
  return {
    ...stands,
    kind: 'external',
    block: url === undefined ? externalBlock : outsideBlock(url),
    problems: [...unknown, ...stands.problems, ...wrong],
  };
}

const usual = lognormal({ median: '80ms', p99: '400ms' });

const latencyKnob = drawKnob(
  usual,
  'How long the stub takes. What providers of payments and mail publish, and their bad days.',
);

export const externalBlock: Block = {
  ...serviceBlock,
  kind: 'external',
  // Its options are functions, an address and a distribution: no knobs with bounds.
  knobs: {},
  tables: { '': { latency: latencyKnob }, ...policyTables },
  besides: {
    url: "Where it is when live: `'https://api.stripe.com'`. Without it the stub answers there too, and the report says so.",
    stub: '`(request) => Response`, which answers in the simulator after `latency`. Without it: 200 with an empty body.',
  },
  purpose: "Somebody else's service: real when live, a stub in the simulator.",
  view: { shape: 'cloud', colour: 'grey' },
  expand: (declaration, site) =>
    serviceBlock.expand(declaration, site).map((node) => ({ ...node, kind: 'external' })),
};

function outsideBlock(url: string): Block {
  return {
    ...externalBlock,
    expand: (declaration, site) =>
      externalBlock.expand(declaration, site).map((node) => ({ ...node, outside: url })),
  };
}
