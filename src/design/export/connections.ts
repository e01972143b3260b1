/**
 * What a gateway allows a connection and a web socket, and what of that no configuration of a product
 * says. Web sockets pass a gateway in any case, so what becomes of them is said in any case.
 */
import {
  type ConnectionsConfig,
  connectionsKnobs,
  type GatewayConfig,
} from '../../blocks/edge/gateway/config.ts';
import { configure } from '../../kit/config.ts';
import type { Remarks } from './remarks.ts';

export interface ConnectionsTask extends ConnectionsConfig {
  /** Whether the design says something of it; else the defaults hold. */
  readonly isAsked: boolean;
  readonly areSocketsAsked: boolean;
}

const usual = configure('connections', connectionsKnobs, {}).config;

export function connectionsOf({ connections, sockets }: GatewayConfig): ConnectionsTask {
  return {
    ...(connections ?? usual),
    isAsked: connections !== null,
    areSocketsAsked: sockets !== null,
  };
}

type Said = readonly [option: string, instead: string, why: string];

interface Word {
  readonly missing: readonly Said[];
  readonly approximated: readonly Said[];
}

const words: Readonly<Record<'nginx' | 'haproxy' | 'envoy', Word>> = {
  nginx: {
    missing: [
      ['headersMax', 'nothing', 'nginx counts bytes of headers, not headers.'],
      [
        'max',
        'worker_connections bounds those of a worker, to services too',
        'nginx has no bound on what clients open alone.',
      ],
    ],
    approximated: [
      [
        'requestTimeout',
        'client_body_timeout',
        'It bounds each pause between two reads of a body, not the request as a whole: who sends a byte now and then may go on.',
      ],
      [
        'headerMax',
        'large_client_header_buffers: four of the longest address',
        'nginx bounds a line, and how many long ones there are; too much is answered with 400.',
      ],
      [
        'urlMax',
        'large_client_header_buffers',
        'It bounds the whole request line, and each header too, which is answered with 400.',
      ],
    ],
  },
  haproxy: {
    missing: [],
    approximated: [
      ['max', 'maxconn of the frontend', 'Connections beyond it wait to be accepted.'],
      [
        'requestTimeout',
        'timeout client',
        'It bounds each silence of a client, not the request as a whole: who sends a byte now and then may go on.',
      ],
      [
        'headerMax',
        'tune.bufsize, with 1 kB left for what is added',
        'Address and headers must fit the buffer that HAProxy works in; beyond it 400.',
      ],
    ],
  },
  envoy: {
    missing: [
      ['urlMax', 'headerMax bounds it too', 'Envoy bounds headers and address together.'],
      [
        'max',
        'nothing',
        'Envoy bounds connections of the whole process, by its overload manager: yours to set.',
      ],
    ],
    approximated: [
      ['headerMax', 'max_request_headers_kb', 'Envoy counts whole kilobytes of 1,024.'],
    ],
  },
};

/** By option of `sockets`. */
const passing: Readonly<Record<'nginx' | 'envoy', Said>> = {
  nginx: [
    'sockets',
    'no web socket passes: a service gets a request without Upgrade',
    'nginx closes what is silent for proxy_read_timeout, which bounds attempts here. Give them a location of their own with Upgrade, Connection and a longer timeout.',
  ],
  envoy: [
    'sockets',
    'no web socket passes: an upgrade is answered with 403',
    'Envoy buffers a request to count its body, and what is upgraded has no end. Give them a route with upgrade_configs and without the buffer.',
  ],
};

export function connectionRemarks(
  product: 'nginx' | 'haproxy' | 'envoy',
  at: string,
  { isAsked, areSocketsAsked }: ConnectionsTask,
  remarks: Remarks,
): void {
  if (isAsked) {
    const { missing, approximated } = words[product];
    for (const [option, ...rest] of missing)
      remarks.missing(`${at}.connections.${option}`, ...rest);
    for (const [option, ...rest] of approximated)
      remarks.approximated(`${at}.connections.${option}`, ...rest);
  }
  if (product !== 'haproxy') {
    const [option, ...rest] = passing[product];
    return remarks.missing(`${at}.${option}`, ...rest);
  }
  remarks.missing(`${at}.sockets.max`, 'nothing', 'HAProxy counts them as connections.');
  remarks.missing(
    `${at}.sockets.closeTimeout`,
    'it breaks off when it is stopped',
    'HAProxy passes bytes on and speaks no web socket: it has no good-bye to say.',
  );
  if (!areSocketsAsked) return;
  remarks.approximated(
    `${at}.sockets.idleTimeout`,
    'timeout tunnel',
    'It bounds the silence of both sides together, and ends without a close frame.',
  );
}
