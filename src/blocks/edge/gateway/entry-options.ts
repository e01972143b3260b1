/** What holds at the door for every request and every reply, as users write it. */
import { type ConfigOf, configure, type Knobs, type OptionsOf, show } from '../../../kit/config.ts';
import type { Problem } from '../../../kit/errors.ts';
import { isSetIn } from '../../../kit/settings.ts';
import {
  compressKnobs,
  corsKnobs,
  type GatewayConfig,
  requestsKnobs,
  traceKnobs,
} from './config.ts';

export interface RequestsOptions extends OptionsOf<typeof requestsKnobs> {
  /** The hosts that are here: `'shop.example.com'`, `'*.example.com'`; others get 421. Default: any. */
  readonly hosts?: readonly string[];
}

export interface CorsOptions extends OptionsOf<typeof corsKnobs> {
  /** `['https://shop.example.com']`, or `['*']` for every site. */
  readonly origins: readonly string[];
  /** Default: GET, HEAD and POST. */
  readonly methods?: readonly string[];
  /** Request headers besides those that are always allowed. */
  readonly headers?: readonly string[];
  /** Headers of replies that scripts may read. */
  readonly exposed?: readonly string[];
}

export interface EntryOptions {
  /** Limits on what a request may be, and its headers checked. */
  readonly requests?: RequestsOptions;
  readonly cors?: CorsOptions;
  /** Compresses replies; `{}` for the defaults. */
  readonly compress?: OptionsOf<typeof compressKnobs>;
  /** Request ids and trace context; `{}` for the defaults. */
  readonly trace?: OptionsOf<typeof traceKnobs>;
  /** Set in every reply, in place of what a service says. `secureHeaders` is a good beginning. */
  readonly replyHeaders?: Readonly<Record<string, string>>;
}

/** What browsers are asked to be careful about: as OWASP's secure headers project advises. */
export const secureHeaders: Readonly<Record<string, string>> = {
  'strict-transport-security': 'max-age=31536000; includeSubDomains',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'content-security-policy': "default-src 'self'; frame-ancestors 'none'; object-src 'none'",
};

type Entry = Pick<GatewayConfig, 'requests' | 'cors' | 'compress' | 'trace' | 'replyHeaders'>;

const hostPattern = /^(\*\.)?[a-z0-9[\]:.-]+$/i;
const originPattern = /^(\*|https?:\/\/[a-z0-9.[\]:-]+)$/;
const tokenPattern = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

export function readEntry(
  name: string,
  { requests, cors, compress, trace, replyHeaders = {} }: EntryOptions,
): { readonly entry: Entry; readonly problems: readonly Problem[] } {
  const problems: Problem[] = [];
  const wrong = (at: string, what: string) => problems.push({ at: `${name}.${at}`, what });

  function table<const T extends Knobs>(
    option: string,
    knobs: T,
    options: object | undefined,
    besides: readonly string[] = [],
  ): ConfigOf<T> | null {
    const at = `${name}.${option}`;
    if (options === undefined && !isSetIn(at)) return null;
    const made = configure(at, knobs, options ?? {}, besides);
    problems.push(...made.problems);
    return made.config;
  }

  /** A list of texts that are each of a kind. */
  function list(at: string, given: unknown, pattern: RegExp, kind: string): readonly string[] {
    if (!Array.isArray(given)) {
      wrong(at, `must be a list of ${kind}, got ${show(given)}`);
      return [];
    }
    for (const one of given as readonly unknown[]) {
      if (typeof one !== 'string' || !pattern.test(one)) wrong(at, `no ${kind}: ${show(one)}`);
    }
    return given as readonly string[];
  }

  const { hosts = [], ...requestsRest } = requests ?? {};
  const checked = table('requests', requestsKnobs, requests && requestsRest, ['hosts']);
  const { origins, methods, headers, exposed, ...corsRest } = cors ?? { origins: [] };
  const shared = table('cors', corsKnobs, cors && corsRest, [
    'origins',
    'methods',
    'headers',
    'exposed',
  ]);
  if (shared) {
    if (origins?.length === 0) wrong('cors.origins', 'must name an origin');
    if (shared.credentials && origins?.includes('*')) {
      wrong('cors.origins', 'with credentials each origin must be named, got *');
    }
  }
  const added = Object.entries(replyHeaders).flatMap(([header, value]) => {
    if (!tokenPattern.test(header)) wrong('replyHeaders', `no name of a header: ${show(header)}`);
    if (typeof value !== 'string' || /[\0\r\n]|[^\0-\xff]/.test(value)) {
      wrong(`replyHeaders.${header}`, `must be text of one line, got ${show(value)}`);
    }
    return [header.toLowerCase(), String(value)];
  });
  const entry: Entry = {
    requests: checked && {
      ...checked,
      hosts: list('requests.hosts', hosts, hostPattern, 'host').map((host) =>
        String(host).toLowerCase(),
      ),
    },
    cors: shared && {
      ...shared,
      origins: list('cors.origins', origins, originPattern, 'origin'),
      methods: list('cors.methods', methods ?? ['GET', 'HEAD', 'POST'], /^[A-Z]+$/, 'method'),
      headers: list('cors.headers', headers ?? [], tokenPattern, 'header'),
      exposed: list('cors.exposed', exposed ?? [], tokenPattern, 'header'),
    },
    compress: table('compress', compressKnobs, compress),
    trace: table('trace', traceKnobs, trace),
    replyHeaders: added,
  };
  return { entry, problems };
}
