/**
 * What a correct object does, one operation at a time. Every model here has a state that is one
 * whole number, so that a search can compare and remember states for nothing:
 *
 *   register      read, write                         the value's id
 *   cas-register  read, write, cas                    the value's id
 *   kv            get, put, delete, cas, per key      the value's id, `nothing` when absent
 *   append        append, read (the whole list)       the list's id among all lists that were read
 *   lock          acquire, release                    held or free
 */
import type { Value } from '../host/host.ts';
import { never, type Operations } from './operations.ts';
import { isList, nothing, type Values } from './values.ts';

export type ModelName = 'register' | 'cas-register' | 'kv' | 'append' | 'lock';

export const modelNames: readonly ModelName[] = [
  'register',
  'cas-register',
  'kv',
  'append',
  'lock',
];

/** The state must be `a`, and stays. */
export const readKind = 0;
/** The state becomes `b`. */
export const writeKind = 1;
/** The state must be `a` and becomes `b`. */
export const casKind = 2;
/** The state must not be `a`, and stays: a compare-and-set that answered false. */
export const differKind = 3;
/** The state, a list, gets `b` at its end. */
export const appendKind = 4;

/** One operation as a model sees it. */
export interface Act {
  readonly kind: number;
  readonly a: number;
  readonly b: number;
  /** Position of its call, doubled: a return may be put between two events. */
  readonly call: number;
  /** Position of its return, doubled; `never` when it may also not have happened at all. */
  readonly end: number;
  /** Index among the operations. */
  readonly index: number;
}

/** Lists that were read, as a tree of their prefixes: a list's id is its node. */
export class Lists {
  readonly #children = new Map<number, number>();
  readonly #parents: number[] = [-1];
  readonly #elements: number[] = [-1];

  /** The node of `list`, made when it is new. */
  idOf(list: readonly number[]): number {
    let node = 0;
    for (const element of list) {
      const edge = node * edgeSpan + element;
      let child = this.#children.get(edge);
      if (child === undefined) {
        child = this.#elements.length;
        this.#children.set(edge, child);
        this.#parents.push(node);
        this.#elements.push(element);
      }
      node = child;
    }
    return node;
  }

  /** The list with `element` at its end, or -1: nobody ever read such a list. */
  after(node: number, element: number): number {
    return this.#children.get(node * edgeSpan + element) ?? -1;
  }

  /** The list without its last element; -1 for the empty one. */
  parentOf(node: number): number {
    return this.#parents[node]!;
  }

  lastOf(node: number): number {
    return this.#elements[node]!;
  }
}

/** Above any value id, and small enough for node × span to stay a whole number. */
const edgeSpan = 2 ** 26;

export interface Model {
  readonly name: ModelName;
  /** The names of its operations. */
  readonly operations: readonly string[];
  /** Has the state `nothing` (an absent value, an empty list, a free lock) at first. */
  readonly initial: number;
}

const registerReads = ['read', 'get'];
const registerWrites = ['write', 'put', 'set'];

export const models: Readonly<Record<ModelName, Model>> = {
  register: {
    name: 'register',
    operations: [...registerReads, ...registerWrites],
    initial: nothing,
  },
  'cas-register': {
    name: 'cas-register',
    operations: [...registerReads, ...registerWrites, 'cas'],
    initial: nothing,
  },
  kv: {
    name: 'kv',
    operations: [...registerReads, ...registerWrites, 'delete', 'cas'],
    initial: nothing,
  },
  append: { name: 'append', operations: ['append', 'read', 'get'], initial: 0 },
  lock: { name: 'lock', operations: ['acquire', 'release'], initial: nothing },
};

/** A value that stands for a lock that is held; no value of a client has this id in a lock's history. */
const held = 1;

/**
 * The act of an operation, or undefined when it says nothing: it certainly failed, or it is a
 * read whose answer nobody got. A text says what is wrong with it.
 */
export function actOf(
  model: Model,
  operations: Operations,
  index: number,
  lists: Lists,
): Act | string | undefined {
  if (operations.failed(index)) return undefined;
  const f = operations.f(index);
  const ok = operations.ok(index);
  const call = operations.call(index) * 2;
  const end = ok ? operations.end(index) * 2 : never;
  if (!model.operations.includes(f)) {
    return `'${f}' is not an operation of model ${model.name} (${model.operations.join(', ')})`;
  }
  switch (f) {
    case 'read':
    case 'get': {
      if (!ok) return undefined;
      const output = operations.outputId(index);
      if (model.name !== 'append') return { kind: readKind, a: output, b: 0, call, end, index };
      const list = elementIds(operations.values, operations.output(index));
      if (typeof list === 'string') return `${f} ${list}`;
      return { kind: readKind, a: lists.idOf(list), b: 0, call, end, index };
    }
    case 'write':
    case 'put':
    case 'set':
      return { kind: writeKind, a: 0, b: operations.inputId(index), call, end, index };
    case 'delete':
      return { kind: writeKind, a: 0, b: nothing, call, end, index };
    case 'cas': {
      const pair = operations.input(index);
      if (!isList(pair) || pair.length !== 2) return 'the value of a cas must be [from, to]';
      const a = operations.values.idOf(pair[0]);
      const b = operations.values.idOf(pair[1]);
      if (ok && operations.output(index) === false) {
        return { kind: differKind, a, b: 0, call, end, index };
      }
      return { kind: casKind, a, b, call, end, index };
    }
    case 'append':
      return { kind: appendKind, a: 0, b: operations.inputId(index), call, end, index };
    case 'acquire':
      return { kind: casKind, a: nothing, b: held, call, end, index };
    default:
      return { kind: casKind, a: held, b: nothing, call, end, index };
  }
}

function elementIds(values: Values, value: Value): number[] | string {
  if (value === null) return [];
  if (!isList(value)) return 'of model append must return a list';
  return value.map((element) => values.idOf(element));
}

/** Whether an act looks at the state at all. */
export function observes(act: Act): boolean {
  return act.kind === readKind || act.kind === casKind || act.kind === differKind;
}

/** Whether an act may change the state. */
export function changes(act: Act): boolean {
  return act.kind === writeKind || act.kind === casKind || act.kind === appendKind;
}
