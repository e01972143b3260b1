/**
 * What a frame says about the things that are drawn: per node, block and path the few figures and
 * the one look that it has now. Which column of a frame belongs to what is found once a run.
 */
import type { BlockView, CallView, Frame, FrameLayout, StructuralView } from 'loadpath/studio';
import { mergedLatency } from '../parts/plot/series.ts';
import { pathEnds } from '../state/selection.ts';

/** `absent`: started later than this, or stopped for good. */
export type NodeLook =
  | 'unknown'
  | 'up'
  | 'standby'
  | 'down'
  | 'paused'
  | 'slow'
  | 'sick'
  | 'new'
  | 'absent';

/**
 * `standby`: not used while its caller works; `idle`: nothing came that could use it; `refused`:
 * nothing holds messages up, yet most calls fail; `partly`: from some nodes only.
 */
export type PathLook =
  | 'unknown'
  | 'open'
  | 'idle'
  | 'standby'
  | 'cut'
  | 'partly'
  | 'lossy'
  | 'slow'
  | 'refused';

export interface NodeFigures {
  readonly look: NodeLook;
  readonly ratePerSec: number;
  readonly errorRatio: number;
  /** 0 to 1. */
  readonly busy: number;
  readonly queue: number;
  readonly p99Us: number;
}

export interface BlockFigures {
  readonly health: 'unknown' | 'well' | 'hurt' | 'down';
  readonly ratePerSec: number;
  readonly errorRatio: number;
  /** Of the busiest node. */
  readonly busy: number;
  readonly queue: number;
  readonly p99Us: number;
  readonly upCount: number;
}

export interface PathFigures {
  readonly look: PathLook;
  readonly ratePerSec: number;
  readonly errorRatio: number;
  readonly p99Us: number;
  /** Callers that are cut off, of how many. */
  readonly cutCount: number;
  readonly callerCount: number;
}

/** Each is reckoned when somebody asks for it: names are renewed a few at a time, a tip is of one thing. */
export interface Figures {
  readonly nodes: Lookup<NodeFigures>;
  readonly blocks: Lookup<BlockFigures>;
  /** Between blocks, `api->links`, and from single nodes, `api/0->links`. */
  readonly paths: Lookup<PathFigures>;
}

/** Undefined for what is not there, and for everything as long as there is no frame. */
interface Lookup<T> {
  get(id: string): T | undefined;
}

export interface Scene {
  readonly design: StructuralView;
  readonly nodeColumns: ReadonlyMap<string, number>;
  readonly blockColumns: ReadonlyMap<string, number>;
  readonly views: ReadonlyMap<string, BlockView>;
  readonly blockOf: ReadonlyMap<string, string>;
  /** Columns of all callers by `api->links`, and of each by `api/0->links`. */
  readonly pathColumns: ReadonlyMap<string, readonly number[]>;
}

const nodeLooks: Readonly<Record<string, NodeLook>> = {
  u: 'up',
  d: 'down',
  p: 'paused',
  s: 'slow',
  f: 'sick',
  n: 'new',
  x: 'absent',
};

/** From here on a path is one that refuses rather than one that has errors. */
const refusedRatio = 0.5;

/** The design with the nodes that no plan named, in the order in which they came. */
export function withArrivals(
  design: StructuralView,
  layout: FrameLayout | null | undefined,
): StructuralView {
  const known = new Set(design.blocks.flatMap((block) => block.nodes.map(({ id }) => id)));
  const come = (layout?.nodes ?? []).filter(({ id }) => !known.has(id));
  if (come.length === 0) return design;
  const blocks = design.blocks.map((block) => {
    const own = come.filter((node) => node.block === block.name);
    if (own.length === 0) return block;
    return { ...block, nodes: [...block.nodes, ...own.map(({ id, zone }) => ({ id, zone }))] };
  });
  return { ...design, blocks };
}

export function sceneOf(design: StructuralView, layout: FrameLayout | undefined): Scene {
  const blockOf = new Map<string, string>();
  for (const block of design.blocks) {
    for (const { id } of block.nodes) blockOf.set(id, block.name);
  }
  for (const { id, block } of layout?.nodes ?? []) blockOf.set(id, block);
  const pathColumns = new Map<string, number[]>();
  for (const [column, { from, to }] of (layout?.paths ?? []).entries()) {
    const id = `${blockOf.get(from) ?? from}->${to}`;
    const columns = pathColumns.get(id);
    if (columns) columns.push(column);
    else pathColumns.set(id, [column]);
    if (blockOf.has(from)) pathColumns.set(`${from}->${to}`, [column]);
  }
  return {
    design,
    nodeColumns: new Map(layout?.nodes.map(({ id }, column) => [id, column])),
    blockColumns: new Map(layout?.blocks.map((name, column) => [name, column])),
    views: new Map(design.blocks.map((block) => [block.name, block])),
    blockOf,
    pathColumns,
  };
}

/** @param frames the last is now; rates are over all of them, so that they can be read. */
export function figuresOf(scene: Scene, frames: readonly Frame[]): Figures {
  const frame = frames.at(-1);
  if (!frame) return { nodes: new Map(), blocks: new Map(), paths: new Map() };
  const window = new Window(frames, frame);
  const membersOf = remembered((name: string) => {
    const block = scene.views.get(name);
    return block && membersIn(block, scene, window);
  });
  const blocks = remembered((name: string) => {
    const block = scene.views.get(name);
    if (!block) return undefined;
    const column = scene.blockColumns.get(name);
    const p99Us = column === undefined ? 0 : window.highest(({ blocks }) => blocks.p99Us[column]);
    const own = blockFigures([...membersOf.get(name)!.values()], p99Us);
    return block.kind === 'users' ? withUsers(own, window) : own;
  });
  const paths = remembered((id: string) => {
    const columns = scene.pathColumns.get(id);
    if (!columns) return undefined;
    const { from } = pathEnds(id);
    const isOfBlock = scene.views.has(from);
    const caller = isOfBlock ? from : (scene.blockOf.get(from) ?? from);
    const isBusy = (blocks.get(caller)?.ratePerSec ?? 0) > 0;
    const each = columns.map((column) => pathFigures(column, window, isBusy));
    return isOfBlock ? together(each, isBusy) : each[0];
  });
  const nodes = { get: (id: string) => membersOf.get(scene.blockOf.get(id) ?? '')?.get(id) };
  return { nodes, blocks, paths };
}

/** What was made once for an id is kept. */
function remembered<T>(make: (id: string) => T | undefined): Lookup<T> {
  const known = new Map<string, T | undefined>();
  return {
    get(id) {
      if (known.has(id)) return known.get(id);
      const made = make(id);
      known.set(id, made);
      return made;
    },
  };
}

/** The nodes of a block: one that nobody asks while the others are asked stands by. */
function membersIn(block: BlockView, scene: Scene, window: Window): Map<string, NodeFigures> {
  const members = new Map(
    block.nodes.map(({ id }) => [id, nodeFigures(scene.nodeColumns.get(id), window)]),
  );
  let isServing = false;
  for (const { ratePerSec } of members.values()) isServing ||= ratePerSec > 0;
  if (!isServing) return members;
  for (const [id, figures] of members) {
    if (figures.look === 'up' && figures.ratePerSec === 0) {
      members.set(id, { ...figures, look: 'standby' });
    }
  }
  return members;
}

/** Some frames read as one: what was counted is summed, what stands is that of the last. */
class Window {
  readonly frame: Frame;
  readonly seconds: number;
  readonly #frames: readonly Frame[];

  constructor(frames: readonly Frame[], frame: Frame) {
    this.frame = frame;
    this.#frames = frames;
    const us = total(frames, ({ fromUs, toUs }) => toUs - fromUs);
    this.seconds = Math.max(1, us) / 1_000_000;
  }

  /** An earlier frame may not know the nodes that came since. */
  sum(of: (frame: Frame) => number | undefined): number {
    return total(this.#frames, (frame) => of(frame) ?? 0);
  }

  /** Of p99s, which cannot be added up: the highest of any frame, as in Inspect. */
  highest(of: (frame: Frame) => number | undefined): number {
    let highest = 0;
    for (const frame of this.#frames) highest = Math.max(highest, of(frame) ?? 0);
    return highest;
  }

  /** Of users there are histograms, so that theirs is that of the whole second, as on the timeline. */
  usersP99Us(): number {
    return mergedLatency(this.#frames).percentile(99);
  }
}

function nodeFigures(column: number | undefined, window: Window): NodeFigures {
  if (column === undefined) return silent;
  const { frame } = window;
  const requests = window.sum(({ nodes }) => nodes.requests[column]);
  const errors = window.sum(({ nodes }) => nodes.errors[column]);
  return {
    look: nodeLooks[frame.nodes.state[column]!] ?? 'unknown',
    ratePerSec: requests / window.seconds,
    errorRatio: ratio(errors, requests),
    busy: frame.nodes.busy[column]!,
    queue: frame.nodes.queue[column]!,
    p99Us: window.highest(({ nodes }) => nodes.p99Us[column]),
  };
}

const silent: NodeFigures = {
  look: 'unknown',
  ratePerSec: 0,
  errorRatio: 0,
  busy: 0,
  queue: 0,
  p99Us: 0,
};

function blockFigures(members: readonly NodeFigures[], p99Us: number): BlockFigures {
  const ratePerSec = total(members, ({ ratePerSec }) => ratePerSec);
  const errorsPerSec = total(members, (node) => node.ratePerSec * node.errorRatio);
  const upCount = members.filter(({ look }) => !isOut(look)).length;
  const known = members.some(({ look }) => look !== 'unknown');
  const hurt =
    upCount < members.filter(({ look }) => look !== 'absent').length ||
    members.some(({ look }) => look === 'slow' || look === 'sick');
  return {
    health: !known ? 'unknown' : upCount === 0 ? 'down' : hurt ? 'hurt' : 'well',
    ratePerSec,
    errorRatio: ratio(errorsPerSec, ratePerSec),
    busy: Math.max(0, ...members.map(({ busy }) => busy)),
    queue: total(members, ({ queue }) => queue),
    p99Us,
    upCount,
  };
}

/** It answers nobody now. */
function isOut(look: NodeLook): boolean {
  return ['down', 'paused', 'new', 'unknown', 'absent'].includes(look);
}

/** What users see is counted at the users: generated, and of what is over, what failed. */
function withUsers(own: BlockFigures, window: Window): BlockFigures {
  const failed = window.sum(({ users }) => users.failed + users.rejected);
  const over = window.sum(({ users }) => users.completed) + failed;
  return {
    ...own,
    ratePerSec: window.sum(({ users }) => users.generated) / window.seconds,
    errorRatio: ratio(failed, over),
    p99Us: window.usersP99Us(),
  };
}

function pathFigures(column: number, window: Window, isBusy: boolean): PathFigures {
  const calls = window.sum(({ paths }) => paths.calls[column]);
  const errors = window.sum(({ paths }) => paths.errors[column]);
  const errorRatio = ratio(errors, calls);
  const state = window.frame.paths.state[column]!;
  return {
    look: lookOf(state, calls, errorRatio, isBusy),
    ratePerSec: calls / window.seconds,
    errorRatio,
    p99Us: window.highest(({ paths }) => paths.p99Us[column]),
    cutCount: state === 'c' ? 1 : 0,
    callerCount: 1,
  };
}

function lookOf(state: string, calls: number, errorRatio: number, isBusy: boolean): PathLook {
  if (state === 'c') return 'cut';
  if (state === 'l') return 'lossy';
  if (state === 'd') return 'slow';
  if (calls === 0) return isBusy ? 'standby' : 'idle';
  return errorRatio > refusedRatio ? 'refused' : 'open';
}

function together(each: readonly PathFigures[], isBusy: boolean): PathFigures {
  const ratePerSec = total(each, (path) => path.ratePerSec);
  const errorRatio = ratio(
    total(each, (path) => path.ratePerSec * path.errorRatio),
    ratePerSec,
  );
  const cutCount = total(each, (path) => path.cutCount);
  const has = (look: PathLook) => each.some((path) => path.look === look);
  const look: PathLook =
    cutCount === each.length
      ? 'cut'
      : cutCount > 0
        ? 'partly'
        : has('lossy')
          ? 'lossy'
          : has('slow')
            ? 'slow'
            : lookOf('o', ratePerSec, errorRatio, isBusy);
  const p99Us = Math.max(0, ...each.map((path) => path.p99Us));
  return { look, ratePerSec, errorRatio, p99Us, cutCount, callerCount: each.length };
}

/** Calls between two blocks, which may be bound more than once. */
export function callsOf(design: StructuralView, from: string, to: string): readonly CallView[] {
  return design.calls.filter((call) => call.from === from && call.to === to);
}

/** What one node of a block is called. Read from options that blocks share, so that a new block has a word too. */
export function nodeWord({ quorum, config }: BlockView): string {
  if (quorum || 'replicas' in config) return 'replica';
  return 'instances' in config ? 'instance' : 'node';
}

/** Things that a fault in force names: `links/1`, `api`, `zone b`. */
export function namedBy(sentences: readonly string[]): ReadonlySet<string> {
  const named = new Set<string>();
  for (const sentence of sentences) {
    const words = sentence.split(/[\s,]+/);
    for (const [index, word] of words.entries()) {
      named.add(word === 'zone' ? `zone ${words[index + 1]}` : word);
    }
  }
  return named;
}

function total<T>(list: readonly T[], of: (item: T) => number): number {
  let sum = 0;
  for (const item of list) sum += of(item);
  return sum;
}

function ratio(part: number, whole: number): number {
  return whole > 0 ? Math.min(1, part / whole) : 0;
}
