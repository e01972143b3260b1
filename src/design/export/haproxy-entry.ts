/** The door in the words of HAProxy: rules of the frontend, before a route is looked for. */
import {
  type EntryTask,
  inSeconds,
  isOpen,
  lesser,
  requestIdPattern,
  squeezable,
} from './entry.ts';
import { formatText, single } from './haproxy-text.ts';
import type { Remarks } from './remarks.ts';
import { token } from './words.ts';

export function haproxyEntry(at: string, entry: EntryTask, remarks: Remarks): string[] {
  return [
    ...entry.taken.map((name) => `  http-request del-header ${token(at, name)}`),
    ...requests(at, entry, remarks),
    ...trace(at, entry, remarks),
    ...cors(at, entry),
    ...entry.replyHeaders.map(
      ([name, value]) =>
        `  http-after-response set-header ${token(`${at}.replyHeaders`, name)} ${single(at, formatText(at, value))}`,
    ),
    ...compress(at, entry, remarks),
  ];
}

function requests(
  at: string,
  { requests: config, connections }: EntryTask,
  remarks: Remarks,
): string[] {
  if (!config && !connections.isAsked) return [];
  const { hosts = [] } = config ?? {};
  const urlMaxBytes = lesser(config?.urlMaxBytes, connections.isAsked && connections.urlMaxBytes);
  const headersMax = lesser(config?.headersMax, connections.isAsked && connections.headersMax);
  if (config) {
    remarks.approximated(
      `${at}.requests.headerBytesMax`,
      'tune.bufsize, 16 kB unless set otherwise',
      'Address and headers must fit the buffer that HAProxy works in; beyond it 400.',
    );
  }
  const list = (all: readonly string[]) => all.map((one) => single(at, one)).join(' ');
  const plain = hosts.filter((host) => !host.startsWith('*.'));
  const ends = hosts.filter((host) => host.startsWith('*.')).map((host) => host.slice(1));
  const host = 'req.hdr(host),host_only,lower';
  const elsewhere = [
    ...(plain.length > 0 ? [`!{ ${host} -m str -- ${list(plain)} }`] : []),
    ...(ends.length > 0 ? [`!{ ${host} -m end -- ${list(ends)} }`] : []),
  ];
  return [
    `  http-request return status 414 if { url -m len gt ${urlMaxBytes} }`,
    `  http-request return status 431 if { req.fhdr_cnt gt ${headersMax} }`,
    ...(elsewhere.length > 0 ? [`  http-request return status 421 if ${elsewhere.join(' ')}`] : []),
  ];
}

function trace(at: string, { trace: config }: EntryTask, remarks: Remarks): string[] {
  if (!config) return [];
  const name = token(`${at}.trace.idHeader`, config.idHeader);
  remarks.approximated(
    `${at}.trace`,
    `${name} is given out; traceparent stays as it came`,
    'HAProxy 2.6 knows no W3C Trace Context.',
  );
  const isGood = `{ req.fhdr(${name},1) -m reg -- ${single(at, requestIdPattern)} }`;
  return [
    ...(config.trust ? [`  http-request set-var(txn.id) req.fhdr(${name},1) if ${isGood}`] : []),
    '  http-request set-var(txn.id) uuid() if !{ var(txn.id) -m found }',
    `  http-request set-header ${name} %[var(txn.id)]`,
    `  http-after-response set-header ${name} %[var(txn.id)]`,
  ];
}

function cors(at: string, { cors: config }: EntryTask): string[] {
  if (!config) return [];
  const { origins, credentials, methods, headers, exposed, maxAgeUs } = config;
  const where = `${at}.cors`;
  const origin = origins.includes('*')
    ? '{ req.hdr(origin) -m found }'
    : `{ req.fhdr(origin,1) -m str -- ${origins.map((one) => single(where, one)).join(' ')} }`;
  const when = 'if { var(txn.origin) -m found }';
  const asked =
    '{ method -m str OPTIONS } { req.hdr(origin) -m found } { req.hdr(access-control-request-method) -m found }';
  const told = (name: string, value: string) =>
    `hdr ${name} ${single(where, formatText(where, value))}`;
  const open = isOpen(config);
  return [
    `  http-request set-var(txn.origin) ${open ? 'str(*)' : 'req.fhdr(origin,1)'} if ${origin}`,
    '  http-after-response del-header access-control-allow-origin',
    '  http-after-response del-header access-control-allow-credentials',
    '  http-after-response del-header access-control-expose-headers',
    `  http-after-response set-header access-control-allow-origin %[var(txn.origin)] ${when}`,
    ...(credentials
      ? [`  http-after-response set-header access-control-allow-credentials true ${when}`]
      : []),
    ...(exposed.length > 0
      ? [
          `  http-after-response set-header access-control-expose-headers ${single(where, formatText(where, exposed.join(', ')))} ${when}`,
        ]
      : []),
    ...(open ? [] : ['  http-after-response add-header vary origin']),
    [
      '  http-request return status 204',
      told('access-control-allow-methods', methods.join(', ')),
      ...(headers.length > 0 ? [told('access-control-allow-headers', headers.join(', '))] : []),
      told('access-control-max-age', inSeconds(maxAgeUs)),
      `if ${asked}`,
    ].join(' '),
  ];
}

function compress(at: string, { compress: config }: EntryTask, remarks: Remarks): string[] {
  if (!config) return [];
  remarks.approximated(
    `${at}.compress`,
    'gzip, for a list of types, of any size',
    'HAProxy has no Brotli, takes names of types only, and 2.6 knows no least size.',
  );
  return ['  compression algo gzip', `  compression type ${squeezable.join(' ')}`];
}
