/**
 * Faults as sentences, and back. What `--fault`, a design's `faults` and a hunt's findings have in
 * common, so that a schedule that a hunt printed can be pasted into a command.
 *
 *   kill links/1 at 30s, restart after 5s
 *   cut zone a from zone b at 60s for 20s
 *   lose 5% between api and links at 10s for 30s
 *
 * A sentence is a verb with its targets and amounts, `at` a time since the load began, and, if it
 * ends before the final heal, `for` how long.
 */
import type { Fault, FaultPlan, Target } from '../host/fault.ts';
import type { Micros } from '../host/host.ts';
import { nearest } from '../kit/config.ts';
import { LoadpathError, type Problem, refuse } from '../kit/errors.ts';
import { parseDuration } from '../kit/units.ts';

/** What a sentence may name. */
export interface FaultNames {
  readonly nodes: readonly string[];
  readonly blocks: readonly string[];
  readonly zones: readonly string[];
  readonly regions: readonly string[];
  /** Blocks of which further members can be started. Without it, `start` takes any block. */
  readonly growing?: readonly string[] | undefined;
  /** Blocks whose members come and go by themselves, or by a sentence: any `api/7` may be meant. */
  readonly coming?: readonly string[] | undefined;
  /** Releases of each service. Without it, `shift` takes any block and any release. */
  readonly releases?: Readonly<Record<string, readonly string[]>> | undefined;
}

/** One sentence a kind, for help texts and error messages. */
export const faultExamples: readonly string[] = [
  'kill links/1 at 30s, restart after 5s',
  'power off links/1 at 5s for 10s',
  'restart api/0 at 5s',
  'pause links/2 at 10s for 3s',
  'slow hot by 10x at 20s for 10s',
  'cut zone a from zone b at 60s for 20s',
  'cut api/0 from links one way at 5s for 2s',
  'lose 5% between api and links at 10s for 30s',
  'delay 50ms between zone a and zone b at 10s for 30s',
  'duplicate 10% between api and links at 10s for 30s',
  'skew links/0 by -2s drift 200ppm at 10s for 1min',
  'fill disk of clicks/0 at 10s for 5s',
  'fail disk of clicks/0 at 10s for 5s',
  'rot 3 bits of links/1 at 10s',
  'start 2 api at 10s for 30s',
  'stop api/1 at 20s',
  'surge 3x at 60s for 30s',
  'shift api to v1=50 v2=50 at 30s',
  'fail 20% of calls to api with 503 at 10s for 5s',
  'slow calls to api by 300ms at 10s for 5s',
];

/** Throws `bad-option` with the place in the sentence, what was expected there, and a near miss. */
export function parseFault(sentence: string, names: FaultNames): Fault {
  return new Sentence(sentence, names).fault();
}

/** The same for a fault that is to happen at once: what the sentence says of when may be left out. */
export function parseFaultNow(sentence: string, names: FaultNames): Fault {
  const isTimed = /\sat\s/.test(sentence);
  const end = /,?\s+(and\s+)?(for|restart after)\s/.exec(sentence)?.index ?? sentence.length;
  const timed = `${sentence.slice(0, end)} at 0s${sentence.slice(end)}`;
  return parseFault(isTimed ? sentence : timed, names);
}

/** A sentence may name nodes that another one starts. */
export function withStarts(sentences: readonly string[], names: FaultNames): FaultNames {
  const started = (names.growing ?? []).filter((block) =>
    sentences.some((text) => /^\s*start\s/.test(text) && text.split(/[\s,]+/).includes(block)),
  );
  return started.length === 0 ? names : { ...names, coming: [...(names.coming ?? []), ...started] };
}

/** All sentences, or one error that names every bad one. */
export function parseFaults(sentences: readonly string[], names: FaultNames): FaultPlan {
  const all = withStarts(sentences, names);
  const faults: Fault[] = [];
  const problems: Problem[] = [];
  for (const sentence of sentences) {
    try {
      faults.push(parseFault(sentence, all));
    } catch (error) {
      if (!(error instanceof LoadpathError)) throw error;
      problems.push(...error.problems);
    }
  }
  if (problems.length > 0) refuse('bad-option', 'the fault schedule', problems);
  return faults;
}

/** The sentence that `parseFault` reads as this fault. */
export function formatFault(fault: Fault): string {
  return `${formatAction(fault)} at ${exactDuration(fault.atUs)}${formatEnd(fault)}`;
}

const verbs = [
  'kill',
  'power off',
  'restart',
  'pause',
  'slow',
  'cut',
  'lose',
  'delay',
  'duplicate',
  'skew',
  'fill disk',
  'fail disk',
  'rot',
  'start',
  'stop',
  'surge',
  'shift',
  'fail',
] as const;

/** Words that start a target or stand for one, so that a block of that name is said with `block`. */
const targetWords = ['node', 'block', 'zone', 'region', 'everything'];

class Sentence {
  readonly #text: string;
  readonly #names: FaultNames;
  readonly #words: readonly string[];
  #next = 0;

  constructor(text: string, names: FaultNames) {
    this.#text = text;
    this.#names = names;
    // Commas only help the reader; a word never contains one.
    this.#words = text.split(/[\s,]+/).filter((word) => word !== '');
  }

  fault(): Fault {
    const action = this.#action();
    this.#word('at', `'at' and a time since the load began, such as 'at 30s'`);
    const atUs = this.#duration(`a time such as '30s' or '1500ms'`);
    const forUs = this.#end(action.do);
    if (this.#next < this.#words.length) this.#fail('the end of the sentence');
    return { ...action, atUs, ...(forUs === undefined ? {} : { forUs }) };
  }

  #action(): Action {
    const word = this.#words[this.#next];
    this.#next++;
    switch (word) {
      case 'kill':
      case 'restart':
      case 'pause':
        return { do: word, target: this.#target() };
      case 'power':
        this.#word('off', `'off'`);
        return { do: 'power-off', target: this.#target() };
      case 'slow': {
        if (this.#isOfCalls()) {
          const { service, ratio } = this.#calls();
          this.#word('by', `'by' and how much, such as 'by 300ms'`);
          const byUs = this.#duration(`how much, such as '300ms'`);
          return { do: 'slow-calls', service, ratio, byUs };
        }
        const target = this.#target();
        this.#word('by', `'by' and a factor, such as 'by 10x'`);
        return { do: 'slow', target, factor: this.#factor() };
      }
      case 'cut': {
        const from = this.#target();
        this.#word('from', `'from' and the other side`);
        return { do: 'cut', from, to: this.#target(), oneWay: this.#oneWay() };
      }
      case 'lose':
      case 'duplicate': {
        const ratio = this.#ratio();
        return { do: word, ratio, ...this.#between() };
      }
      case 'delay': {
        const byUs = this.#duration(`how much, such as '50ms'`);
        return { do: 'delay', byUs, ...this.#between() };
      }
      case 'skew': {
        const target = this.#target();
        this.#word('by', `'by' and how much, such as 'by 500ms' or 'by -2s'`);
        const byUs = this.#offset();
        return { do: 'skew', target, byUs, driftPpm: this.#drift() };
      }
      case 'fail':
        if (this.#isOfCalls()) {
          const { service, ratio } = this.#calls();
          this.#word('with', `'with' and a status, such as 'with 503'`);
          return { do: 'fail-calls', service, ratio, status: this.#status() };
        }
        return this.#disk('fail');
      case 'fill':
        return this.#disk('fill');
      case 'rot': {
        const bits = this.#count('how many bits, such as 3');
        if (!this.#skip('bit')) this.#word('bits', `'bits'`);
        this.#word('of', `'of' and whose disk`);
        return { do: 'rot', bits, target: this.#target() };
      }
      case 'start':
        return this.#start();
      case 'stop':
        return { do: 'stop', target: this.#target() };
      case 'surge':
        return { do: 'surge', factor: this.#factor() };
      case 'shift':
        return this.#shift();
      default:
        this.#next--;
        return this.#fail(`a fault: ${verbs.join(', ')}`, verbs);
    }
  }

  #disk(what: 'fill' | 'fail'): Action {
    this.#word('disk', `'disk of' and whose`);
    this.#word('of', `'of' and whose disk`);
    return { do: `${what}-disk`, target: this.#target() };
  }

  /** `20% of calls to …` or `calls to …`, and not a block that is called calls. */
  #isOfCalls(): boolean {
    const [word = '', next] = this.#words.slice(this.#next);
    return /^\d+(\.\d+)?%$/.test(word) || (word === 'calls' && next === 'to');
  }

  #calls(): { readonly service: string; readonly ratio: number } {
    const { releases, blocks } = this.#names;
    let ratio = 1;
    if (!this.#skip('calls')) {
      ratio = this.#ratio();
      this.#word('of', `'of calls to' and a service`);
      this.#word('calls', `'calls to' and a service`);
    }
    this.#word('to', `'to' and a service`);
    return { service: this.#name(releases ? Object.keys(releases) : blocks, 'a service'), ratio };
  }

  #status(): number {
    const match = /^[2-5]\d\d$/.exec(this.#words[this.#next] ?? '');
    if (!match) return this.#fail('a status from 200 to 599, such as 503');
    this.#next++;
    return Number(match[0]);
  }

  /** `start api`, `start an api instance`, `start 3 api`. */
  #start(): Action {
    const { growing, blocks } = this.#names;
    const first = this.#words[this.#next] ?? '';
    let count = 1;
    if (/^\d+$/.test(first)) count = this.#count('how many, such as 2');
    else if (first === 'a' || first === 'an') this.#next++;
    const block = this.#name(growing ?? blocks, 'a service');
    if (!this.#skip('instance')) this.#skip('instances');
    return { do: 'start', block, count };
  }

  #shift(): Action {
    const { releases: byService, blocks } = this.#names;
    const service = this.#name(byService ? Object.keys(byService) : blocks, 'a service');
    this.#word('to', `'to' and shares, such as 'to v1=50 v2=50'`);
    const releases = byService?.[service];
    const traffic: Record<string, number> = {};
    for (;;) {
      const match = /^([^=]+)=(\d+(?:\.\d+)?)%?$/.exec(this.#words[this.#next] ?? '');
      if (!match) break;
      const release = match[1]!;
      if (releases && !releases.includes(release)) {
        this.#fail(`a release of ${service} (${releases.join(', ')})`, releases, release);
      }
      traffic[release] = Number(match[2]);
      this.#next++;
    }
    const shares = Object.values(traffic);
    if (shares.length === 0) this.#fail(`shares, such as 'v1=50 v2=50'`);
    if (!shares.some((share) => share > 0)) this.#fail('at least one share above zero');
    return { do: 'shift', service, traffic };
  }

  #target(): Target {
    const { nodes, blocks, zones, regions } = this.#names;
    const word = this.#words[this.#next];
    switch (word) {
      case 'everything':
        this.#next++;
        return { all: true };
      case 'node':
        this.#next++;
        if (this.#mayCome(this.#words[this.#next] ?? '')) {
          return { node: this.#words[this.#next++]! };
        }
        return { node: this.#name(nodes, 'a node') };
      case 'block':
        this.#next++;
        return { block: this.#name(blocks, 'a block') };
      case 'zone':
        this.#next++;
        return { zone: this.#name(zones, 'a zone') };
      case 'region':
        this.#next++;
        return { region: this.#name(regions, 'a region') };
    }
    if (word !== undefined && (nodes.includes(word) || this.#mayCome(word))) {
      this.#next++;
      return { node: word };
    }
    const what = `a node, a block, 'zone …', 'region …' or 'everything'`;
    return { block: this.#name(blocks, what, [...nodes, ...blocks, ...targetWords]) };
  }

  /** A node that no plan names, and that may have been started by then: `api/3`. */
  #mayCome(word: string): boolean {
    const [, block, index] = /^(.+)\/(\d{1,6})$/.exec(word) ?? [];
    return block !== undefined && this.#names.coming?.includes(block) === true && index !== '';
  }

  #name(names: readonly string[], what: string, near: readonly string[] = names): string {
    const word = this.#words[this.#next];
    if (word === undefined || !names.includes(word)) {
      // A few names say more than a rule; a hundred do not.
      const listed = near === names && names.length > 0 && names.length <= 12;
      return this.#fail(listed ? `${what} (${names.join(', ')})` : what, near);
    }
    this.#next++;
    return word;
  }

  #between(): { readonly from: Target; readonly to: Target } {
    this.#word('between', `'between' and two sides, such as 'between api and links'`);
    const from = this.#target();
    this.#word('and', `'and' and the other side`);
    return { from, to: this.#target() };
  }

  #oneWay(): boolean {
    if (!this.#skip('one')) return false;
    this.#word('way', `'way'`);
    return true;
  }

  #drift(): number {
    if (!this.#skip('drift')) return 0;
    const match = /^(-?\d+(?:\.\d+)?)ppm$/.exec(this.#words[this.#next] ?? '');
    if (!match) return this.#fail(`a drift such as '200ppm'`);
    this.#next++;
    return Number(match[1]);
  }

  #end(what: Fault['do']): Micros | undefined {
    this.#skip('and');
    if (this.#next >= this.#words.length) return undefined;
    const forText = `'for' and how long, such as 'for 20s'`;
    if (what === 'restart' || what === 'rot' || what === 'stop')
      return this.#fail('the end of the sentence');
    if (what === 'kill' || what === 'power-off') {
      if (this.#skip('restart')) this.#word('after', `'after' and how long, such as 'after 5s'`);
      else this.#word('for', `'restart after 5s' or ${forText}`, ['for', 'restart']);
    } else {
      this.#word('for', forText);
    }
    const forUs = this.#duration(`how long, such as '20s'`);
    return forUs > 0 ? forUs : this.#refuse('must last longer than nothing');
  }

  #duration(what: string): Micros {
    const us = parseDuration(this.#words[this.#next] ?? '');
    if (us === undefined) return this.#fail(what);
    this.#next++;
    return us;
  }

  #offset(): Micros {
    const word = this.#words[this.#next] ?? '';
    const behind = word.startsWith('-');
    const us = parseDuration(word.replace(/^[+-]/, ''));
    if (us === undefined) return this.#fail(`how much, such as '500ms' or '-2s'`);
    this.#next++;
    return behind && us > 0 ? -us : us;
  }

  #factor(): number {
    const match = /^(\d+(?:\.\d+)?)x$/.exec(this.#words[this.#next] ?? '');
    if (!match) return this.#fail(`a factor such as '3x'`);
    this.#next++;
    const factor = Number(match[1]);
    return factor > 0 ? factor : this.#refuse('a factor must be above zero');
  }

  #ratio(): number {
    const match = /^(\d+(?:\.\d+)?)%$/.exec(this.#words[this.#next] ?? '');
    if (!match) return this.#fail(`a share such as '5%'`);
    this.#next++;
    const ratio = shorter(Number(match[1]) / 100);
    return ratio <= 1 ? ratio : this.#refuse('a share is at most 100%');
  }

  #count(what: string): number {
    const count = Number(this.#words[this.#next] ?? '');
    if (!Number.isSafeInteger(count) || count < 1) return this.#fail(what);
    this.#next++;
    return count;
  }

  #skip(word: string): boolean {
    if (this.#words[this.#next] !== word) return false;
    this.#next++;
    return true;
  }

  #word(word: string, what: string, near: readonly string[] = [word]): void {
    if (!this.#skip(word)) this.#fail(what, near);
  }

  /** What was understood, what should come next, what stands there instead. */
  #fail(expected: string, near: readonly string[] = [], got = this.#words[this.#next]): never {
    const understood = this.#words.slice(0, this.#next).join(' ');
    const meant = got === undefined ? undefined : nearest(got, near);
    return this.#refuse(
      [
        understood === '' ? '' : `understood '${understood}', then `,
        `expected ${expected}, `,
        got === undefined ? 'but the sentence ends' : `got '${got}'`,
        meant === undefined || meant === got ? '' : `; did you mean '${meant}'?`,
      ].join(''),
    );
  }

  #refuse(what: string): never {
    const at = `'${this.#text.trim()}'`;
    const problems = [{ at, what }];
    throw new LoadpathError('bad-option', `fault ${at}: ${what}`, { problems });
  }
}

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;
type Action = DistributiveOmit<Fault, 'atUs' | 'forUs'>;

function formatAction(fault: Fault): string {
  switch (fault.do) {
    case 'kill':
    case 'restart':
    case 'pause':
      return `${fault.do} ${formatTarget(fault.target)}`;
    case 'power-off':
      return `power off ${formatTarget(fault.target)}`;
    case 'slow':
      return `slow ${formatTarget(fault.target)} by ${fault.factor}x`;
    case 'cut': {
      const sides = `${formatTarget(fault.from)} from ${formatTarget(fault.to)}`;
      return `cut ${sides}${fault.oneWay ? ' one way' : ''}`;
    }
    case 'lose':
    case 'duplicate':
      return `${fault.do} ${shorter(fault.ratio * 100)}% ${formatBetween(fault)}`;
    case 'delay':
      return `delay ${exactDuration(fault.byUs)} ${formatBetween(fault)}`;
    case 'skew': {
      const drift = fault.driftPpm === 0 ? '' : ` drift ${fault.driftPpm}ppm`;
      return `skew ${formatTarget(fault.target)} by ${exactDuration(fault.byUs)}${drift}`;
    }
    case 'fill-disk':
    case 'fail-disk':
      return `${fault.do.replace('-', ' ')} of ${formatTarget(fault.target)}`;
    case 'rot':
      return `rot ${fault.bits} ${fault.bits === 1 ? 'bit' : 'bits'} of ${formatTarget(fault.target)}`;
    case 'start':
      return `start ${fault.count} ${fault.block}`;
    case 'stop':
      return `stop ${formatTarget(fault.target)}`;
    case 'surge':
      return `surge ${fault.factor}x`;
    case 'fail-calls':
      return `fail ${formatCalls(fault)} with ${fault.status}`;
    case 'slow-calls':
      return `slow ${formatCalls(fault)} by ${exactDuration(fault.byUs)}`;
    case 'shift': {
      const shares = Object.entries(fault.traffic).map(([name, share]) => `${name}=${share}`);
      return `shift ${fault.service} to ${shares.join(' ')}`;
    }
  }
}

function formatCalls({
  service,
  ratio,
}: {
  readonly service: string;
  readonly ratio: number;
}): string {
  return `${ratio === 1 ? '' : `${shorter(ratio * 100)}% of `}calls to ${service}`;
}

function formatEnd(fault: Fault): string {
  if (fault.forUs === undefined) return '';
  const restarts = fault.do === 'kill' || fault.do === 'power-off';
  return `${restarts ? ', restart after' : ' for'} ${exactDuration(fault.forUs)}`;
}

function formatBetween(fault: { readonly from: Target; readonly to: Target }): string {
  return `between ${formatTarget(fault.from)} and ${formatTarget(fault.to)}`;
}

export function formatTarget(target: Target): string {
  if ('node' in target) return target.node;
  if ('zone' in target) return `zone ${target.zone}`;
  if ('region' in target) return `region ${target.region}`;
  if ('all' in target) return 'everything';
  return targetWords.includes(target.block) ? `block ${target.block}` : target.block;
}

/** Nothing rounded, unlike `formatDuration`: what is printed must replay. */
function exactDuration(us: Micros): string {
  const units = [
    ['min', 60_000_000, 5],
    ['s', 1_000_000, 1],
    ['ms', 1_000, 1],
  ] as const;
  if (us === 0) return '0s';
  for (const [unit, sizeUs, least] of units) {
    if (us % sizeUs === 0 && Math.abs(us) >= sizeUs * least) return `${us / sizeUs}${unit}`;
  }
  return `${us}us`;
}

/** Drops the last bits that a multiplication by 100 leaves: 0.07 is 7 %, not 7.000000000000001 %. */
function shorter(value: number): number {
  return Number(value.toPrecision(12));
}
