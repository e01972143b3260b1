/** `network: { sameZone: { delay: '1ms' } }`: how far nodes are from each other, as users write it. */
import type { LinkPlan, NetworkPlan } from '../host/plan.ts';
import { nearest, show } from '../kit/config.ts';
import { type Draw, parseDraw } from '../kit/draw.ts';
import type { Problem } from '../kit/errors.ts';
import { cloudNetwork } from './plan.ts';

/** What is left out is as it is in a cloud region. */
export interface LinkOptions {
  /** One way. */
  readonly delay?: Draw;
  /** What one connection can carry. Default: without bounds. */
  readonly bytesPerSec?: number | undefined;
  readonly lossRatio?: number;
  readonly duplicateRatio?: number;
}

export interface NetworkOptions {
  /** Between programs of one node. */
  readonly loopback?: LinkOptions;
  readonly sameZone?: LinkOptions;
  readonly sameRegion?: LinkOptions;
  readonly betweenRegions?: LinkOptions;
  readonly connectTimeoutUs?: number;
}

type Writable<T> = { -readonly [Name in keyof T]: T[Name] };

const linkNames = ['loopback', 'sameZone', 'sameRegion', 'betweenRegions'] as const;
const names = [...linkNames, 'connectTimeoutUs'];
const linkOptions = ['delay', 'bytesPerSec', 'lossRatio', 'duplicateRatio'];

export function networkOf(at: string, options: NetworkOptions, problems: Problem[]): NetworkPlan {
  const network: Writable<NetworkPlan> = { ...cloudNetwork };
  if (!isRecord(options)) {
    const what = `must be an object like { sameZone: { delay: '1ms' } }, got ${show(options)}`;
    problems.push({ at, what });
    return network;
  }
  problems.push(...unknownIn(at, options, names));
  for (const name of linkNames) {
    const given = options[name];
    if (given !== undefined) {
      network[name] = linkOf(`${at}.${name}`, given, cloudNetwork[name], problems);
    }
  }
  const { connectTimeoutUs } = options;
  if (connectTimeoutUs === undefined) return network;
  if (Number.isSafeInteger(connectTimeoutUs) && connectTimeoutUs >= 1) {
    return { ...network, connectTimeoutUs };
  }
  const what = `must be a whole number of microseconds, at least 1, got ${show(connectTimeoutUs)}`;
  problems.push({ at: `${at}.connectTimeoutUs`, what });
  return network;
}

function linkOf(at: string, options: LinkOptions, preset: LinkPlan, problems: Problem[]): LinkPlan {
  const link: Writable<LinkPlan> = { ...preset };
  if (!isRecord(options)) {
    problems.push({ at, what: `must be an object like { delay: '1ms' }, got ${show(options)}` });
    return link;
  }
  problems.push(...unknownIn(at, options, linkOptions));
  const wrong = (name: string, be: string, given: unknown): void => {
    problems.push({ at: `${at}.${name}`, what: `must be ${be}, got ${show(given)}` });
  };
  const { delay, bytesPerSec } = options;
  if (delay !== undefined) {
    const draw = parseDraw(delay);
    if (draw) link.delay = draw;
    else wrong('delay', "a duration like '5ms' or a distribution like exponential('5ms')", delay);
  }
  if (bytesPerSec !== undefined) {
    if (Number.isFinite(bytesPerSec) && bytesPerSec > 0) link.bytesPerSec = bytesPerSec;
    else wrong('bytesPerSec', 'a number above 0', bytesPerSec);
  }
  for (const name of ['lossRatio', 'duplicateRatio'] as const) {
    const ratio = options[name];
    if (ratio === undefined) continue;
    if (typeof ratio === 'number' && ratio >= 0 && ratio <= 1) link[name] = ratio;
    else wrong(name, 'a share from 0 to 1', ratio);
  }
  return link;
}

function unknownIn(at: string, options: object, known: readonly string[]): readonly Problem[] {
  const strangers = Object.keys(options).filter((name) => !known.includes(name));
  return strangers.map((name) => {
    const near = nearest(name, known);
    const instead = near ? `did you mean ${near}?` : `there are ${known.join(', ')}`;
    return { at: `${at}.${name}`, what: `no such option; ${instead}` };
  });
}

function isRecord(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
