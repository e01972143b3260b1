/**
 * A modelled design as the TypeScript that a person would write: a const a block, callees before
 * their callers, and only the imports it uses. Evaluated, it is the same design: the same plan, and
 * runs with the same digest.
 */
import { limitKnobs } from '../blocks/edge/gateway/config.ts';
import { LoadpathError } from '../kit/errors.ts';
import { isDesignData, systemFromJson } from './json.ts';
import {
  type Code,
  importOf,
  invoke,
  list,
  literal,
  object,
  statement,
  text,
} from './typescript-layout.ts';

type Fields = Readonly<Record<string, unknown>>;

/** Throws `LoadpathError` ('bad-design') naming every mistake in the design. */
export function typescriptOf(data: unknown): string {
  if (!isDesignData(data)) {
    const what = 'a design of data has a name, blocks and an entry';
    throw new LoadpathError('bad-design', `this is none: ${what}`);
  }
  // What is written below is checked here: every name leads to a block, every value is of its kind.
  systemFromJson(data);
  return new Writer(data).text();
}

class Writer {
  readonly #data: Fields;
  readonly #blocks: ReadonlyMap<string, Fields>;
  readonly #names = new Map<string, string>();
  readonly #imports = new Set<string>(['system']);
  /** Names in the order in which they can be declared. */
  readonly #order: string[] = [];
  /** Those that the entry leads to, itself included. */
  readonly #reached = new Set<string>();

  constructor(data: Fields) {
    this.#data = data;
    const blocks = data.blocks as readonly Fields[];
    this.#blocks = new Map(blocks.map((block) => [String(block.name), block]));
    for (const name of this.#blocks.keys()) {
      this.#names.set(name, this.#identifier(name));
      this.#place(name, this.#order);
    }
    this.#place(String(data.entry), this.#reached);
  }

  text(): string {
    const blocks = this.#order.map((name) => {
      const { kind, name: _name, ...options } = this.#blocks.get(name)!;
      const made = object(this.#made(String(kind), options));
      const isBare = kind === 'external' && Object.keys(options).length === 0;
      const args = isBare ? [literal(name)] : [literal(name), made];
      return statement(`const ${this.#names.get(name)} = `, this.#use(String(kind), ...args));
    });
    const system = statement('export default ', this.#system());
    const imports = importOf([...this.#imports].sort(), 'loadpath');
    return [imports, ...blocks, system].join('\n');
  }

  #system(): Code {
    const { name, entry, users, objectives, faults, zones } = this.#data;
    const others = this.#order.filter((one) => !this.#reached.has(one));
    const fields: [string, Code][] = [['entry', this.#block(String(entry))]];
    if (others.length > 0) fields.push(['blocks', list(others.map((one) => this.#block(one)))]);
    if (users !== undefined) fields.push(['workload', this.#users(users as Fields)]);
    for (const [option, value] of Object.entries({ objectives, faults, zones })) {
      if (value !== undefined) fields.push([option, literal(value)]);
    }
    return invoke('system', literal(name), object(fields));
  }

  #made(kind: string, options: Fields): [string, Code][] {
    return Object.entries(options).flatMap(([option, value]): [string, Code][] => {
      if (value === undefined) return [];
      switch (`${kind}.${option}`) {
        case 'service.cost':
          return [[option, this.#cost(value)]];
        case 'service.calls':
          return [[option, list((value as readonly unknown[]).map((step) => this.#step(step)))]];
        case 'external.latency':
          return [[option, this.#draw(value)]];
        case 'gateway.limit': {
          // In code a limit says its rate, in data it may be left out.
          const limit = { rate: limitKnobs.rate.preset, ...(value as Fields) };
          return [[option, this.#use('tokenBucket', literal(limit))]];
        }
        case 'gateway.limits':
          return [[option, this.#limits(value as Fields)]];
        case 'gateway.auth': {
          const schemes = Array.isArray(value) ? (value as readonly Fields[]) : [value as Fields];
          return [[option, list(schemes.map((scheme) => this.#scheme(scheme)))]];
        }
        case 'gateway.routes': {
          if (Array.isArray(value)) {
            return [[option, list(value.map((route) => this.#route(route as Fields)))]];
          }
          const routes = Object.entries(value as Fields);
          return [[option, object(routes.map(([path, to]) => [path, this.#block(String(to))]))]];
        }
        case 'forwardProxy.sites': {
          const sites = Object.entries(value as Fields);
          return [[option, object(sites.map(([host, to]) => [host, this.#block(String(to))]))]];
        }
        case 'balancer.to':
          return [[option, this.#block(String(value))]];
        case 'service.policy':
        case 'external.policy':
        case 'gateway.policy':
          return [[option, this.#policy(value as Fields)]];
        default:
          return [[option, literal(value)]];
      }
    });
  }

  #route(route: Fields): Code {
    return object(
      Object.entries(route).map(([option, value]) => {
        if (option === 'to') return [option, this.#destination(value)];
        if (option === 'limits') return [option, this.#limits(value as Fields)];
        return [option, option === 'policy' ? this.#policy(value as Fields) : literal(value)];
      }),
    );
  }

  #limits(limits: Fields): Code {
    return object(
      Object.entries(limits).map(([name, limit]) => [
        name,
        this.#withBlock(limit as Fields, 'backend'),
      ]),
    );
  }

  #scheme(scheme: Fields): Code {
    const [kind, options] = Object.entries(scheme)[0]!;
    return this.#use(kind, this.#withBlock(options as Fields, 'keys'));
  }

  /** Options of which one names a block. */
  #withBlock(options: Fields, named: string): Code {
    return object(
      Object.entries(options).map(([option, value]) => [
        option,
        option === named ? this.#block(String(value)) : literal(value),
      ]),
    );
  }

  #destination(to: unknown): Code {
    if (typeof to === 'string') return this.#block(to);
    const { parts, ...rest } = (to as Fields).aggregate as Fields;
    const made = Object.entries(parts as Fields).map(([name, part]): [string, Code] => {
      const fields = Object.entries(part as Fields).map(([option, value]): [string, Code] => [
        option,
        option === 'from' ? this.#block(String(value)) : literal(value),
      ]);
      return [name, object(fields)];
    });
    const others = Object.entries(rest).map(([option, value]): [string, Code] => [
      option,
      literal(value),
    ]);
    return this.#use('aggregate', object([['parts', object(made)], ...others]));
  }

  #policy(policy: Fields): Code {
    return object(
      Object.entries(policy).map(([option, value]) => [
        option,
        option === 'fallback' ? this.#withBlock(value as Fields, 'service') : literal(value),
      ]),
    );
  }

  #use(name: string, ...args: readonly Code[]): Code {
    this.#imports.add(name);
    return invoke(name, ...args);
  }

  #block(name: string): Code {
    return text(this.#names.get(name)!);
  }

  #step(step: unknown): Code {
    if (typeof step === 'string') return this.#use('call', this.#block(step));
    const [verb, value] = Object.entries(step as Fields)[0]!;
    switch (verb) {
      case 'sometimes': {
        const { chance, call } = value as Fields;
        return this.#use(verb, literal(chance), this.#step(call));
      }
      case 'work':
        return this.#use(verb, this.#cost(value));
      case 'optional':
        return this.#use(verb, this.#step(value));
      default:
        return this.#use(verb, ...(value as readonly unknown[]).map((one) => this.#step(one)));
    }
  }

  #cost(cost: unknown): Code {
    const { cpu, wait } = cost as Fields;
    if (cpu !== undefined) return object([['cpu', this.#draw(cpu)]]);
    return this.#draw(wait ?? cost);
  }

  #draw(draw: unknown): Code {
    if (typeof draw === 'string') return literal(draw);
    const [kind, of] = Object.entries(draw as Fields)[0]!;
    const { min, max, mean, cv } = of as Fields;
    switch (kind) {
      case 'constant':
        return literal(of);
      case 'uniform':
        return this.#use(kind, literal(min), literal(max));
      case 'gamma':
        return this.#use(kind, literal(mean), literal({ cv }));
      default:
        return this.#use(kind, literal(of));
    }
  }

  #users({ rate, closed, ...rest }: Fields): Code {
    const fields: [string, Code][] = [];
    if (rate !== undefined) fields.push(['rate', this.#rate(rate)]);
    if (closed !== undefined) {
      const { users, think } = closed as Fields;
      fields.push([
        'closed',
        object([
          ['users', literal(users)],
          ['think', this.#draw(think)],
        ]),
      ]);
    }
    for (const [option, value] of Object.entries(rest)) fields.push([option, literal(value)]);
    return this.#use('users', object(fields));
  }

  #rate(rate: unknown): Code {
    const [shape, of] = typeof rate === 'object' ? Object.entries(rate as Fields)[0]! : [];
    return shape === undefined ? literal(rate) : this.#use(shape, literal(of));
  }

  /** Callees first, as the reader of JSON makes them, so that the plan has the same order. */
  #place(name: string, into: string[] | Set<string>): void {
    const isThere = Array.isArray(into) ? into.includes(name) : into.has(name);
    if (isThere) return;
    for (const callee of calleesOf(this.#blocks.get(name)!)) this.#place(callee, into);
    if (Array.isArray(into)) into.push(name);
    else into.add(name);
  }

  /** `api-v2` is `apiV2`; a word of the language or of Loadpath is not for a block. */
  #identifier(name: string): string {
    const words = name.split('-').filter((word) => word !== '');
    const camel = words.map((word, at) =>
      at === 0 ? word : word[0]!.toUpperCase() + word.slice(1),
    );
    const plain = camel.join('');
    const taken = new Set(this.#names.values());
    const free = (word: string) => !taken.has(word) && !ours.has(word) && !reserved.has(word);
    if (free(plain)) return plain;
    for (let at = 0; ; at++) {
      const next = `${plain}Block${at === 0 ? '' : at + 1}`;
      if (free(next)) return next;
    }
  }
}

function calleesOf({ routes, calls, policy, limits, auth, to, sites }: Fields): readonly string[] {
  const inStep = (step: unknown): readonly string[] => {
    if (typeof step === 'string') return [step];
    const [verb, value] = Object.entries(step as Fields)[0]!;
    if (verb === 'work') return [];
    if (verb === 'sometimes') return inStep((value as Fields).call);
    return Array.isArray(value) ? value.flatMap(inStep) : inStep(value);
  };
  const routed = Array.isArray(routes)
    ? (routes as readonly Fields[]).flatMap((route) => [
        ...destinationsOf(route.to),
        ...backendsOf(route.limits),
        ...backupsOf(route.policy),
      ])
    : Object.values((routes ?? {}) as Fields).map(String);
  const called = ((calls ?? []) as readonly unknown[]).flatMap(inStep);
  // In the order in which the reader of JSON meets them.
  const hosted = Object.values((sites ?? {}) as Fields).map(String);
  const led = to === undefined ? hosted : [String(to)];
  return [
    ...backendsOf(limits),
    ...issuersOf(auth),
    ...routed,
    ...called,
    ...led,
    ...backupsOf(policy),
  ];
}

/** Who stands in for what fails. */
function backupsOf(policy: unknown): readonly string[] {
  const { service } = ((policy as Fields | undefined)?.fallback ?? {}) as Fields;
  return service === undefined ? [] : [String(service)];
}

function backendsOf(limits: unknown): readonly string[] {
  return Object.values((limits ?? {}) as Fields).flatMap((limit) => {
    const { backend } = limit as Fields;
    return backend === undefined ? [] : [String(backend)];
  });
}

function issuersOf(auth: unknown): readonly string[] {
  const schemes = auth === undefined ? [] : Array.isArray(auth) ? auth : [auth];
  return (schemes as readonly Fields[]).flatMap(({ jwt }) => {
    const { keys } = (jwt ?? {}) as Fields;
    return keys === undefined ? [] : [String(keys)];
  });
}

function destinationsOf(to: unknown): readonly string[] {
  if (to === undefined) return [];
  if (typeof to === 'string') return [to];
  const { parts } = (to as Fields).aggregate as Fields;
  return Object.values(parts as Fields).map((part) => String((part as Fields).from));
}

/** What a design may import. */
const ours = new Set(
  (
    'aggregate apiKeys balancer call constant diurnal exponential external forwardProxy gamma gateway jwt limiter lognormal optional parallel pareto ' +
    'ramp sequence service sometimes spike system tokenBucket uniform users work'
  ).split(' '),
);

const reserved = new Set(
  (
    'abstract arguments as async await boolean break case catch class const constructor continue ' +
    'debugger declare default delete do else enum eval export extends false finally for from ' +
    'function get if implements import in infer instanceof interface is keyof let module namespace ' +
    'never new null number object of package private protected public readonly require return set ' +
    'static string super switch symbol this throw true try type typeof undefined unique unknown ' +
    'var void while with yield globalThis Infinity NaN'
  ).split(' '),
);
