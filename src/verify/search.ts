/**
 * The search for an order: Wing and Gong's, with Lowe's memory of configurations ("Testing for
 * linearizability", 2016).
 *
 * Go through the history in time. Whatever is called and not yet returned may take effect next;
 * try one, undo it when it leads nowhere, and when a return is met whose operation has not taken
 * effect, there is nowhere to go. A configuration (which operations took effect, the state) that
 * led nowhere once is never entered again.
 *
 *   time ──▶   call a   call b   return a   call c   return b   return c
 *                └── a or b may be first ──┘ a must have been
 *
 * Three things keep it small. What took effect is "everything up to here, and these few": 32
 * operations a word, and only the words in which something is open. A read that agrees with the
 * state takes effect at once and for good, as it can do no harm. Operations that may never have
 * happened stand outside the line: they are tried only when somebody saw what they would do, and
 * of two equal ones the earlier comes first.
 *
 * Deciding this is NP-complete, so the search has an allowance and may answer undefined.
 */

import {
  type Act,
  appendKind,
  casKind,
  differKind,
  type Lists,
  readKind,
  writeKind,
} from './models.ts';
import { never } from './operations.ts';
import type { Allowance } from './verdict.ts';

export interface Found {
  /** Undefined: the allowance or the memory was used up. */
  readonly linearizable: boolean | undefined;
  /** The position of the return that no order gets past. */
  readonly stuckAt: number;
  /** Indexes into the acts: the longest order found on the way. Only when asked for. */
  readonly order: readonly number[];
}

/** Words of remembered configurations: 256 MB. Beyond it the answer is undefined. */
const memoryWordsMax = 64 * 1024 * 1024;

/** A list that nobody ever read. Lists only grow, so no later read can agree with it. */
const offTree = -1;
const illegal = -2;

/** Kinds of a step on the stack. */
const forced = 0;
const chosen = 1;
const conjured = 2;

interface Ghosts {
  readonly kind: number;
  readonly a: number;
  readonly b: number;
  /** Indexes of equal acts that may never have happened, in the order of their calls. */
  readonly acts: number[];
  used: number;
}

export class Search {
  #memory: Int32Array = new Int32Array(4_096);
  #memoryEnd = 0;
  #table: Int32Array = new Int32Array(1_024);
  #tableCount = 0;
  #memoryFull = false;

  /** `acts` in the order of their calls. */
  run(
    acts: readonly Act[],
    initial: number,
    lists: Lists,
    allowance: Allowance,
    wantOrder = false,
  ): Found {
    const definite: number[] = [];
    const ghosts: Ghosts[] = [];
    const ghostOf = new Map<string, Ghosts>();
    let conjuring = false;
    for (let i = 0; i < acts.length; i++) {
      const act = acts[i]!;
      if (act.end !== never) {
        definite.push(i);
        continue;
      }
      if (act.kind === casKind) conjuring = true;
      const name = `${act.kind} ${act.a} ${act.b}`;
      const known = ghostOf.get(name);
      if (known) known.acts.push(i);
      else {
        const made = { kind: act.kind, a: act.a, b: act.b, acts: [i], used: 0 };
        ghostOf.set(name, made);
        ghosts.push(made);
      }
    }
    const count = definite.length;
    if (count === 0) return { linearizable: true, stuckAt: 0, order: [] };

    const kinds = new Uint8Array(count);
    const as = new Int32Array(count);
    const bs = new Int32Array(count);
    const calls = new Int32Array(count);
    const ends = new Int32Array(count);
    for (let i = 0; i < count; i++) {
      const act = acts[definite[i]!]!;
      kinds[i] = act.kind;
      as[i] = act.a;
      bs[i] = act.b;
      calls[i] = act.call;
      ends[i] = act.end;
    }
    // A read of the appended list is the only act that can be too late for good.
    let readsLeft = 0;
    for (let i = 0; i < count; i++) if (kinds[i] === readKind) readsLeft++;

    // The line of calls and returns, as a doubly linked list around `rim`. Node → act, or ~act.
    const rim = 2 * count;
    const actOf = new Int32Array(rim);
    const next = new Int32Array(rim + 1);
    const previous = new Int32Array(rim + 1);
    const callNode = new Int32Array(count);
    const endNode = new Int32Array(count);
    thread(calls, ends, actOf, callNode, endNode);
    for (let node = 0; node <= rim; node++) {
      next[node] = node === rim ? 0 : node + 1;
      previous[node] = node === 0 ? rim : node - 1;
    }

    const words = new Int32Array((count >>> 5) + 1);
    let baseWord = 0;
    let topWord = -1;

    const stackAct = new Int32Array(acts.length + 1);
    const stackState = new Int32Array(acts.length + 1);
    const stackKind = new Uint8Array(acts.length + 1);
    let depth = 0;
    let remaining = count;
    let state = initial;
    let stuckAt = 0;
    let order: number[] = [];

    this.#forget(count);

    const lift = (act: number): void => {
      const call = callNode[act]!;
      const end = endNode[act]!;
      next[previous[call]!] = next[call]!;
      previous[next[call]!] = previous[call]!;
      next[previous[end]!] = next[end]!;
      previous[next[end]!] = previous[end]!;
      const word = act >>> 5;
      words[word]! |= 1 << (act & 31);
      if (word > topWord) topWord = word;
      while (words[baseWord] === -1) baseWord++;
      if (kinds[act] === readKind) readsLeft--;
      remaining--;
    };
    const unlift = (act: number): void => {
      const call = callNode[act]!;
      const end = endNode[act]!;
      next[previous[end]!] = end;
      previous[next[end]!] = end;
      next[previous[call]!] = call;
      previous[next[call]!] = call;
      const word = act >>> 5;
      words[word]! &= ~(1 << (act & 31));
      if (word < baseWord) baseWord = word;
      while (topWord >= 0 && words[topWord] === 0) topWord--;
      if (kinds[act] === readKind) readsLeft++;
      remaining++;
    };
    const push = (kind: number, act: number, after: number): void => {
      stackKind[depth] = kind;
      stackAct[depth] = act;
      stackState[depth] = state;
      depth++;
      state = after;
    };
    /** The state after an act that changes it, or `illegal`. */
    const after = (kind: number, a: number, b: number): number => {
      if (kind === writeKind) return b;
      if (kind === casKind) return state === a ? b : illegal;
      if (kind !== appendKind) return illegal;
      const node = state === offTree ? offTree : lists.after(state, b);
      return node === offTree && readsLeft > 0 ? illegal : node;
    };
    const remember = (): boolean => {
      let usedTop = ghosts.length;
      while (usedTop > 0 && ghosts[usedTop - 1]!.used === 0) usedTop--;
      const size = 4 + usedTop + Math.max(0, topWord - baseWord + 1);
      const at = this.#reserve(size);
      if (at < 0) return false;
      const memory = this.#memory;
      memory[at] = size;
      memory[at + 1] = baseWord;
      memory[at + 2] = state;
      memory[at + 3] = usedTop;
      let length = at + 4;
      for (let i = 0; i < usedTop; i++) memory[length++] = ghosts[i]!.used;
      for (let word = baseWord; word <= topWord; word++) memory[length++] = words[word]!;
      return this.#isNew(at, size);
    };

    for (;;) {
      // A new configuration: reads that agree take effect, and what is left of it is looked up.
      for (let node = next[rim]!; node !== rim; node = next[node]!) {
        const act = actOf[node]!;
        if (act < 0) break;
        const kind = kinds[act]!;
        const agrees =
          kind === readKind
            ? as[act] === state
            : kind === differKind
              ? as[act] !== state
              : kind === casKind && as[act] === state && bs[act] === state;
        if (!agrees) continue;
        // From the one before: with the act goes its return, and what is called after that is next.
        node = previous[node]!;
        push(forced, act, state);
        lift(act);
      }
      if (remaining === 0) {
        return { linearizable: true, stuckAt: 0, order: path(wantOrder, depth) };
      }
      if (!allowance.spend(1)) return { linearizable: undefined, stuckAt, order };
      let node = remember() ? next[rim]! : rim;
      if (this.#memoryFull) return { linearizable: undefined, stuckAt, order };
      let ghost = node === rim ? ghosts.length : 0;

      // The next thing to try from here; when there is none, from where we came.
      for (;;) {
        let moved = false;
        while (node !== rim) {
          const act = actOf[node]!;
          if (act < 0) {
            const end = ends[~act]!;
            if (end > stuckAt) {
              stuckAt = end;
              if (wantOrder) order = path(true, depth);
            }
            break;
          }
          const kind = kinds[act]!;
          if (kind !== readKind && kind !== differKind) {
            const reached = after(kind, as[act]!, bs[act]!);
            if (reached !== illegal) {
              push(chosen, act, reached);
              lift(act);
              moved = true;
              break;
            }
          }
          node = next[node]!;
        }
        if (moved) break;
        for (; ghost < ghosts.length; ghost++) {
          const candidate = ghosts[ghost]!;
          const first = candidate.acts[candidate.used];
          if (first === undefined || acts[first]!.call > this.#firstEnd(next, actOf, ends, rim)) {
            continue;
          }
          const reached = after(candidate.kind, candidate.a, candidate.b);
          if (reached === illegal || reached === state) continue;
          if (!conjuring && candidate.kind === writeKind) {
            if (!wanted(candidate.b)) continue;
          }
          push(conjured, ghost, reached);
          candidate.used++;
          moved = true;
          break;
        }
        if (moved) break;
        // Back over what was forced, to the last choice.
        for (;;) {
          if (depth === 0) return { linearizable: false, stuckAt, order };
          depth--;
          const act = stackAct[depth]!;
          state = stackState[depth]!;
          if (stackKind[depth] === conjured) {
            ghosts[act]!.used--;
            node = rim;
            ghost = act + 1;
            break;
          }
          unlift(act);
          if (stackKind[depth] === chosen) {
            node = next[callNode[act]!]!;
            ghost = 0;
            break;
          }
        }
      }
    }

    /** Whether an operation that may take effect next waits for `value`. */
    function wanted(value: number): boolean {
      for (let node = next[rim]!; node !== rim; node = next[node]!) {
        const act = actOf[node]!;
        if (act < 0) return false;
        const kind = kinds[act]!;
        if (kind === differKind) return true;
        if ((kind === readKind || kind === casKind) && as[act] === value) return true;
      }
      return false;
    }

    function path(wanted: boolean, length: number): number[] {
      if (!wanted) return [];
      // Ghosts count down from what is used now, so walk back from the end.
      const used = ghosts.map((ghost) => ghost.used);
      const steps: number[] = [];
      for (let i = length - 1; i >= 0; i--) {
        const act = stackAct[i]!;
        if (stackKind[i] !== conjured) steps.push(definite[act]!);
        else steps.push(ghosts[act]!.acts[--used[act]!]!);
      }
      return steps.reverse();
    }
  }

  #firstEnd(next: Int32Array, actOf: Int32Array, ends: Int32Array, rim: number): number {
    for (let node = next[rim]!; node !== rim; node = next[node]!) {
      const act = actOf[node]!;
      if (act < 0) return ends[~act]!;
    }
    return never;
  }

  #forget(count: number): void {
    this.#memoryEnd = 0;
    this.#memoryFull = false;
    this.#tableCount = 0;
    let size = 64;
    while (size < count * 2 && size < 1 << 16) size *= 2;
    // A fresh view of the old buffer, so that a short history clears a short table.
    const buffer = this.#table.buffer;
    this.#table =
      size * 4 <= buffer.byteLength ? new Int32Array(buffer, 0, size).fill(-1) : filled(size);
  }

  /** Room for `size` words at the end, or -1 when there is none. Not taken until `#isNew` says so. */
  #reserve(size: number): number {
    const need = this.#memoryEnd + size;
    if (need > memoryWordsMax) {
      this.#memoryFull = true;
      return -1;
    }
    if (need > this.#memory.length) {
      const wider = new Int32Array(Math.max(need, this.#memory.length * 2));
      wider.set(this.#memory);
      this.#memory = wider;
    }
    return this.#memoryEnd;
  }

  #isNew(at: number, size: number): boolean {
    const memory = this.#memory;
    const table = this.#table;
    const mask = table.length - 1;
    let slot = hashOf(memory, at, size) & mask;
    for (;;) {
      const other = table[slot]!;
      if (other < 0) break;
      if (equal(memory, other, at, size)) return false;
      slot = (slot + 1) & mask;
    }
    table[slot] = at;
    this.#memoryEnd = at + size;
    if (++this.#tableCount * 2 > table.length) this.#widenTable();
    return true;
  }

  #widenTable(): void {
    const memory = this.#memory;
    const table = filled(this.#table.length * 4);
    const mask = table.length - 1;
    for (let at = 0; at < this.#memoryEnd; at += memory[at]!) {
      let slot = hashOf(memory, at, memory[at]!) & mask;
      while (table[slot]! >= 0) slot = (slot + 1) & mask;
      table[slot] = at;
    }
    this.#table = table;
  }
}

/** Puts calls and returns into one line. Calls are sorted already, and no call shares a position with a return. */
function thread(
  calls: Int32Array,
  ends: Int32Array,
  actOf: Int32Array,
  callNode: Int32Array,
  endNode: Int32Array,
): void {
  const count = calls.length;
  const span = 2 ** Math.ceil(Math.log2(count + 1));
  // Sorted by (end, act) as one number each: several times faster than a comparator.
  const byEnd = new Float64Array(count);
  for (let i = 0; i < count; i++) byEnd[i] = ends[i]! * span + i;
  byEnd.sort();
  let node = 0;
  let call = 0;
  for (let i = 0; i < count; i++) {
    const end = Math.floor(byEnd[i]! / span);
    const act = byEnd[i]! - end * span;
    while (call < count && calls[call]! < end) {
      actOf[node] = call;
      callNode[call] = node++;
      call++;
    }
    actOf[node] = ~act;
    endNode[act] = node++;
  }
}

function filled(size: number): Int32Array {
  return new Int32Array(size).fill(-1);
}

function hashOf(memory: Int32Array, at: number, size: number): number {
  let h = size;
  for (let i = at + 1; i < at + size; i++) {
    h = Math.imul(h ^ memory[i]!, 0x85ebca6b);
    h ^= h >>> 15;
  }
  h = Math.imul(h, 0xc2b2ae35);
  return (h ^ (h >>> 16)) & 0x7fffffff;
}

function equal(memory: Int32Array, one: number, other: number, size: number): boolean {
  for (let i = 0; i < size; i++) if (memory[one + i] !== memory[other + i]) return false;
  return true;
}
