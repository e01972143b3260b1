/**
 * Whether the operations on one key have an order, and if not, which few of them have none.
 */
import { contradictionIn } from './growing.ts';
import {
  type Act,
  appendKind,
  casKind,
  changes,
  differKind,
  type Lists,
  type Model,
  observes,
  readKind,
  writeKind,
} from './models.ts';
import { never } from './operations.ts';
import { type Found, Search } from './search.ts';
import { judgeUnique } from './unique.ts';
import { Allowance } from './verdict.ts';

export class Judge {
  readonly #model: Model;
  readonly #lists: Lists;
  readonly #search = new Search();

  constructor(model: Model, lists: Lists) {
    this.#model = model;
    this.#lists = lists;
  }

  /** `acts` in the order of their calls. Undefined when the allowance was used up. */
  decide(acts: readonly Act[], allowance: Allowance): boolean | undefined {
    const initial = this.#model.initial;
    const settled = this.#settle(acts);
    if (inTurn(settled)) return this.#replay(settled);
    if (this.#model.name !== 'append') {
      const verdict = judgeUnique(settled, initial);
      if (verdict !== undefined) {
        allowance.spend(settled.length >>> 3);
        return verdict;
      }
    }
    return this.#search.run(settled, initial, this.#lists, allowance).linearizable;
  }

  /** An order of the acts by position in `acts`: a whole one, or the longest before they get stuck. */
  order(acts: readonly Act[], allowance: Allowance): Found {
    const settled = this.#settle(acts);
    const found = this.#search.run(settled, this.#model.initial, this.#lists, allowance, true);
    const at = new Map(acts.map((act, position) => [act.index, position]));
    return { ...found, order: found.order.map((position) => at.get(settled[position]!.index)!) };
  }

  /**
   * The shortest prefix that has no order, by the position of the return that ends it; undefined
   * when the allowance does not suffice. What returned later counts as not returned.
   */
  stuckAt(acts: readonly Act[], allowance: Allowance): number | undefined {
    const ends = acts.filter((act) => act.end !== never).map((act) => act.end);
    ends.sort((a, b) => a - b);
    let low = 0;
    let high = ends.length - 1;
    // Prefixes of a history that has an order have one, so the first that has none can be bisected.
    while (low < high) {
      const middle = (low + high) >>> 1;
      const verdict = this.decide(prefixOf(acts, ends[middle]!), allowance);
      if (verdict === undefined) return undefined;
      if (verdict) low = middle + 1;
      else high = middle;
    }
    return ends[low];
  }

  /**
   * Some few of `acts` that have no order by themselves. What is left out never makes it worse: a
   * read may go at any time, a write only when nobody left can have seen it (it could as well not
   * have happened). So whatever is left is a counterexample of the whole.
   */
  reduce(acts: readonly Act[], allowance: Allowance): readonly Act[] {
    if (this.#model.name === 'append') {
      const few = contradictionIn(acts, this.#lists);
      if (few) return few;
    }
    const fails = (candidate: readonly Act[]): boolean =>
      // Each attempt gets a share: one hard candidate must not use up what many easy ones need.
      allowance.left > 0 &&
      this.decide(candidate, new Share(allowance, Math.max(10_000, allowance.left >>> 4))) ===
        false;

    let best = acts;
    // What went wrong is mostly near the end, so look there first.
    const late = [...acts.keys()].sort((i, j) => lateness(acts[j]!) - lateness(acts[i]!));
    for (let kept = 4; kept < acts.length; kept *= 4) {
      const candidate = this.#closed(acts, new Set(late.slice(0, kept)), allowance);
      if (candidate.length >= best.length) break;
      if (fails(candidate)) {
        best = candidate;
        break;
      }
    }
    for (let chunk = best.length >>> 1; chunk >= 1; chunk >>>= 1) {
      for (let from = 0; from < best.length && allowance.left > 0; ) {
        const kept = new Set<number>();
        for (let i = 0; i < best.length; i++) if (i < from || i >= from + chunk) kept.add(i);
        const candidate = this.#closed(best, kept, allowance);
        if (candidate.length < best.length && fails(candidate)) best = candidate;
        else from += chunk;
      }
    }
    // One by one until nothing goes: what went may have been what held something else.
    for (let before = best.length + 1; best.length < before; ) {
      before = best.length;
      for (let i = best.length - 1; i >= 0 && allowance.left > 0; i--) {
        const kept = new Set(best.keys());
        kept.delete(i);
        const candidate = this.#closed(best, kept, allowance);
        if (candidate.length < best.length && fails(candidate)) {
          best = candidate;
          i = Math.min(i, best.length);
        }
      }
    }
    return best;
  }

  /** The kept ones and every act that may have written what they saw. Costs about eight steps an act. */
  #closed(acts: readonly Act[], kept: Set<number>, allowance: Allowance): Act[] {
    allowance.spend(acts.length * 8);
    const writers = new Map<number, number[]>();
    let everyWriter: number[] = [];
    for (let i = 0; i < acts.length; i++) {
      if (!changes(acts[i]!)) continue;
      const of = writers.get(acts[i]!.b);
      if (of) of.push(i);
      else writers.set(acts[i]!.b, [i]);
      everyWriter.push(i);
    }
    const queue = [...kept];
    const keep = (i: number): void => {
      if (kept.has(i)) return;
      kept.add(i);
      queue.push(i);
    };
    for (let i = queue.pop(); i !== undefined; i = queue.pop()) {
      const act = acts[i]!;
      if (act.kind === differKind) {
        for (const writer of everyWriter) keep(writer);
        everyWriter = [];
      } else if (observes(act)) {
        for (const value of this.#seenBy(act))
          for (const writer of writers.get(value) ?? []) keep(writer);
      }
    }
    return this.#unburied(acts.filter((_, i) => kept.has(i)));
  }

  /**
   * Without the writes that others buried before anybody looked: when `x` was called after `w`
   * returned, and had returned before anyone who saw `w`'s value began, then nobody saw `w`. Who
   * found something else than `a` may have seen any value. The last write of a value stays, so that
   * one can see where the value is from.
   */
  #unburied(acts: Act[]): Act[] {
    if (this.#model.name === 'append') return acts;
    const seenFrom = new Map<number, number>();
    const lastCall = new Map<number, number>();
    let differsFrom = never;
    for (const act of acts) {
      if (act.kind === differKind) differsFrom = Math.min(act.call, differsFrom);
      else if (observes(act)) seenFrom.set(act.a, Math.min(act.call, seenFrom.get(act.a) ?? never));
      if (changes(act)) lastCall.set(act.b, act.call);
    }
    const burials = new Burials(acts);
    return acts.filter((act) => {
      if (act.kind !== writeKind || act.end === never) return true;
      const from = Math.min(seenFrom.get(act.b) ?? never, differsFrom);
      if (from === never) return true;
      const isLast = act.call === lastCall.get(act.b) && seenFrom.has(act.b);
      return isLast || act.end > burials.lastCallBefore(from);
    });
  }

  /** The values that must have been written for `act` to see what it saw. */
  #seenBy(act: Act): readonly number[] {
    if (this.#model.name !== 'append') return [act.a];
    const values: number[] = [];
    for (let node = act.a; node > 0; node = this.#lists.parentOf(node)) {
      values.push(this.#lists.lastOf(node));
    }
    return values;
  }

  /**
   * Outcomes that nobody knows, as far as others' reads settle them. What nobody saw the effect of
   * need not have happened. What alone can have caused something that was seen did happen, before
   * the one who saw it returned.
   */
  #settle(acts: readonly Act[]): readonly Act[] {
    let settled = acts;
    // Each round may settle what the next one builds on: a cas that saw what a cas wrote.
    for (let round = 0; round < 8; round++) {
      if (!settled.some((act) => act.end === never)) return settled;
      const better = this.#settleOnce(settled);
      if (better === settled) return settled;
      settled = better;
    }
    return settled;
  }

  #settleOnce(acts: readonly Act[]): readonly Act[] {
    const seenBefore = new Map<number, number>();
    const seers = new Map<number, number>();
    const writers = new Map<number, number>();
    let differs = false;
    for (const act of acts) {
      if (act.kind === differKind) differs = true;
      else if (act.kind === readKind || act.kind === casKind) {
        // A longer list was read by many: each node is walked once for its earliest reader only
        // when that matters, which it rarely does; histories of lists are short.
        for (const value of this.#seenBy(act)) {
          seers.set(value, (seers.get(value) ?? 0) + 1);
          const before = seenBefore.get(value) ?? never;
          if (act.end < before) seenBefore.set(value, act.end);
        }
      }
      if (changes(act)) writers.set(act.b, (writers.get(act.b) ?? 0) + 1);
    }
    let changed = false;
    const initial = this.#model.name === 'append' ? -1 : this.#model.initial;
    const settled: Act[] = [];
    for (const act of acts) {
      if (act.end !== never || !changes(act)) {
        if (act.end === never) changed = true;
        else settled.push(act);
        continue;
      }
      const itself = act.kind === casKind && act.a === act.b ? 1 : 0;
      if (!differs && (seers.get(act.b) ?? 0) === itself) {
        changed = true;
        continue;
      }
      const before = (seenBefore.get(act.b) ?? never) - 1;
      const alone = writers.get(act.b) === 1 && act.b !== initial;
      if (alone && before < never - 1 && before > act.call) {
        changed = true;
        settled.push({ ...act, end: before });
      } else settled.push(act);
    }
    return changed ? settled : acts;
  }

  #replay(acts: readonly Act[]): boolean {
    let state = this.#model.initial;
    for (const act of acts) {
      if (act.kind === differKind) {
        if (state === act.a) return false;
      } else if (act.kind === appendKind) {
        // Below zero: a list that nobody ever read.
        state = state < 0 ? state : this.#lists.after(state, act.b);
      } else {
        if (observes(act) && state !== act.a) return false;
        if (changes(act)) state = act.b;
      }
    }
    return true;
  }
}

/** The latest call among writes that had returned by some position. */
class Burials {
  readonly #ends: number[] = [];
  readonly #calls: number[] = [];

  constructor(acts: readonly Act[]) {
    const writes = acts.filter((act) => changes(act) && act.end !== never);
    writes.sort((one, other) => one.end - other.end);
    let latest = 0;
    for (const { call, end } of writes) {
      latest = Math.max(call, latest);
      this.#ends.push(end);
      this.#calls.push(latest);
    }
  }

  lastCallBefore(position: number): number {
    let low = 0;
    let high = this.#ends.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#ends[middle]! < position) low = middle + 1;
      else high = middle;
    }
    return this.#calls[low - 1] ?? 0;
  }
}

/** A part of what another allowance has left; what is spent here is spent there. */
class Share extends Allowance {
  readonly #whole: Allowance;

  constructor(whole: Allowance, stepsMax: number) {
    super({ stepsMax });
    this.#whole = whole;
  }

  override spend(steps: number): boolean {
    return this.#whole.spend(steps) && super.spend(steps);
  }
}

export { Share };

/** The acts as they looked when the event at `position` had just happened. */
export function prefixOf(acts: readonly Act[], position: number): Act[] {
  const prefix: Act[] = [];
  for (const act of acts) {
    if (act.call > position) break;
    if (act.end <= position) prefix.push(act);
    else if (changes(act)) prefix.push(act.end === never ? act : { ...act, end: never });
  }
  return prefix;
}

/** Each returned before the next was called: there is one order only. */
function inTurn(acts: readonly Act[]): boolean {
  let end = -1;
  for (const act of acts) {
    if (act.call < end || act.end === never) return false;
    end = act.end;
  }
  return true;
}

function lateness(act: Act): number {
  return act.end === never ? act.call : act.end;
}
