/** The door in the words of nginx: variables that are empty add no header. */
import {
  type EntryTask,
  inSeconds,
  isOpen,
  lesser,
  requestIdPattern,
  squeezable,
} from './entry.ts';
import { identifier, literal, quoted } from './nginx-text.ts';
import { escaped } from './patterns.ts';
import type { Remarks } from './remarks.ts';
import { token } from './words.ts';

export interface NginxEntry {
  readonly http: readonly string[];
  readonly server: readonly string[];
  readonly told: readonly string[];
}

export function nginxEntry(at: string, entry: EntryTask, remarks: Remarks): NginxEntry {
  const parts = [
    replyHeaders(at, entry),
    cors(at, entry),
    compress(at, entry, remarks),
    requests(at, entry, remarks),
    trace(at, entry, remarks),
  ];
  const taken = entry.taken.map((name) => `proxy_set_header ${token(at, name)} "";`);
  return {
    http: parts.flatMap(({ http = [] }) => http),
    server: parts.flatMap(({ server = [] }) => server),
    told: [...taken, ...parts.flatMap(({ told = [] }) => told)],
  };
}

function replyHeaders(at: string, { replyHeaders: headers }: EntryTask): Partial<NginxEntry> {
  return {
    http: headers.flatMap(([name, value]) => [
      `  proxy_hide_header ${token(`${at}.replyHeaders`, name)};`,
      `  add_header ${name} ${quoted(`${at}.replyHeaders.${name}`, value)} always;`,
    ]),
  };
}

function cors(at: string, { cors: config }: EntryTask): Partial<NginxEntry> {
  if (!config) return {};
  const { origins, credentials, methods, headers, exposed, maxAgeUs } = config;
  const where = `${at}.cors`;
  const open = isOpen(config);
  const allowed = origins.includes('*')
    ? [`    "~." ${open ? '"*"' : '$http_origin'};`]
    : origins.map((origin) => `    ${literal(where, `~^${escaped(origin)}$`)} $http_origin;`);
  const when = (variable: string, source: string, value: string) => [
    `  map ${source} $${variable} {`,
    '    "" "";',
    `    default ${value};`,
    '  }',
  ];
  const added = (name: string, value: string) => [
    `  proxy_hide_header ${name};`,
    `  add_header ${name} ${value} always;`,
  ];
  return {
    http: [
      '  map $http_origin $cors_origin {',
      ...allowed,
      '    default "";',
      '  }',
      // A browser asks beforehand with all three.
      '  map "$request_method $http_origin $http_access_control_request_method" $cors_asked {',
      '    "~^OPTIONS [^ ]+ [^ ]+$" 1;',
      '    default "";',
      '  }',
      ...when('cors_methods', '$cors_asked', literal(where, methods.join(', '))),
      ...when('cors_headers', '$cors_asked', literal(where, headers.join(', '))),
      ...when('cors_age', '$cors_asked', inSeconds(maxAgeUs)),
      ...when('cors_credentials', '$cors_origin', credentials ? '"true"' : '""'),
      ...when('cors_exposed', '$cors_origin', literal(where, exposed.join(', '))),
      ...added('Access-Control-Allow-Origin', '$cors_origin'),
      ...added('Access-Control-Allow-Credentials', '$cors_credentials'),
      ...added('Access-Control-Expose-Headers', '$cors_exposed'),
      '  add_header Access-Control-Allow-Methods $cors_methods always;',
      '  add_header Access-Control-Allow-Headers $cors_headers always;',
      '  add_header Access-Control-Max-Age $cors_age always;',
      ...(open ? [] : ['  add_header Vary Origin always;']),
    ],
    server: ['    if ($cors_asked) {', '      return 204;', '    }'],
  };
}

function compress(
  at: string,
  { compress: config }: EntryTask,
  remarks: Remarks,
): Partial<NginxEntry> {
  if (!config) return {};
  remarks.approximated(
    `${at}.compress`,
    'gzip, for a list of types',
    'Brotli is a module of its own, and nginx takes names of types only.',
  );
  return {
    http: [
      '  gzip on;',
      '  gzip_vary on;',
      '  gzip_proxied any;',
      `  gzip_min_length ${config.minBytes};`,
      `  gzip_types ${squeezable.join(' ')};`,
    ],
  };
}

function requests(
  at: string,
  { requests: config, connections }: EntryTask,
  remarks: Remarks,
): Partial<NginxEntry> {
  // The line has method and version too.
  const buffers = (longest: number) => [`  large_client_header_buffers 4 ${longest + 32};`];
  if (!config && connections.isAsked) return { http: buffers(connections.urlMaxBytes) };
  if (!config) return { http: ['  large_client_header_buffers 4 16k;'] };
  const urlMaxBytes = lesser(config.urlMaxBytes, connections.isAsked && connections.urlMaxBytes);
  remarks.approximated(
    `${at}.requests.urlMax`,
    'large_client_header_buffers',
    'It bounds the whole request line, and each header too, which is answered with 400.',
  );
  remarks.missing(
    `${at}.requests.headersMax`,
    'nothing',
    'nginx counts bytes of headers, not headers.',
  );
  remarks.approximated(
    `${at}.requests.headerBytesMax`,
    'four times the longest address',
    'nginx bounds a line, and how many long ones there are; too much is answered with 400.',
  );
  return { http: buffers(urlMaxBytes) };
}

function trace(at: string, { trace: config }: EntryTask, remarks: Remarks): Partial<NginxEntry> {
  if (!config) return {};
  const name = token(`${at}.trace.idHeader`, config.idHeader);
  const given = `$http_${identifier(`${at}.trace.idHeader`, name.replaceAll('-', '_'))}`;
  remarks.approximated(
    `${at}.trace`,
    `${name} is given out; traceparent stays as it came`,
    'nginx has no module for W3C Trace Context without OpenTelemetry.',
  );
  return {
    http: [
      `  map ${given} $own_id {`,
      ...(config.trust ? [`    ${literal(at, `~${requestIdPattern}`)} ${given};`] : []),
      '    default $request_id;',
      '  }',
      `  proxy_hide_header ${name};`,
      `  add_header ${name} $own_id always;`,
    ],
    told: [`proxy_set_header ${name} $own_id;`],
  };
}
