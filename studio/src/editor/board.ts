/**
 * A design of data as one draws it: every change is a function from one design to the next, so that
 * undo is keeping the last. What this does not know of a design (`zones`, a policy) stays as it is.
 */
import type { JsonDesign, ProblemView } from 'loadpath/studio';

type Fields = Readonly<Record<string, unknown>>;

export interface BoardBlock extends Fields {
  readonly kind: string;
  readonly name: string;
}

export interface Place {
  readonly x: number;
  readonly y: number;
}

/** What leads from one block to another, and how it is called there. */
export interface Wire {
  readonly from: string;
  readonly to: string;
  readonly as: 'entry' | 'call' | 'route';
  /** Of a route: `/`. */
  readonly path?: string;
}

/** The workload stands on the board as if it were a block of this name. */
export const usersName = 'users';

/** Leads to sites, in a table by host. */
export const proxyKind = 'forwardProxy';

/** Room that a card takes, with its margin. */
const spacing = { x: 230, y: 110 } as const;

export function blocksOf(design: JsonDesign): readonly BoardBlock[] {
  return Array.isArray(design.blocks) ? design.blocks.filter(isBlock) : [];
}

/** What is wrong so far as somebody is to mend it: that a board without blocks has no entry is not. */
export function mistakesIn(
  design: JsonDesign,
  problems: readonly ProblemView[],
): readonly ProblemView[] {
  if (blocksOf(design).length > 0) return problems;
  return problems.filter(({ at }) => at !== 'design.entry');
}

export function blockOf(design: JsonDesign, name: string): BoardBlock | undefined {
  return blocksOf(design).find((block) => block.name === name);
}

export function usersOf(design: JsonDesign): Fields | undefined {
  return isFields(design.users) ? design.users : undefined;
}

export function wiresOf(design: JsonDesign): readonly Wire[] {
  const wires: Wire[] = [];
  const names = new Set(blocksOf(design).map(({ name }) => name));
  if (usersOf(design) && typeof design.entry === 'string' && names.has(design.entry)) {
    wires.push({ from: usersName, to: design.entry, as: 'entry' });
  }
  for (const { name, kind, calls, routes, sites, to: led } of blocksOf(design)) {
    for (const to of new Set(targetsIn(calls))) {
      if (names.has(to)) wires.push({ from: name, to, as: 'call' });
    }
    for (const to of leads(kind) ? listed(led) : []) {
      if (names.has(to)) wires.push({ from: name, to, as: 'call' });
    }
    for (const { path, to } of [...ways(routes), ...ways(kind === proxyKind ? sites : {})]) {
      if (names.has(to)) wires.push({ from: name, to, as: 'route', path });
    }
  }
  return wires;
}

/** Where everything stands; what has no place yet gets one beside the others. */
export function placesOf(design: JsonDesign): ReadonlyMap<string, Place> {
  const kept = positionsIn(design);
  const places = new Map<string, Place>();
  const names = [
    ...(usersOf(design) ? [usersName] : []),
    ...blocksOf(design).map(({ name }) => name),
  ];
  for (const name of names) {
    const at = kept[name];
    const [x, y] = Array.isArray(at) ? at : [];
    if (typeof x === 'number' && typeof y === 'number') places.set(name, { x, y });
  }
  const depths = depthsOf(design, names);
  for (const name of names) {
    if (places.has(name)) continue;
    const x = depths.get(name)! * spacing.x;
    places.set(name, freeAt(places, { x, y: 0 }));
  }
  return places;
}

// Changes ----------------------------------------------------------------------------------------

/** A name of its own that tells the kind: `service`, `service-2`. */
export function addBlock(design: JsonDesign, kind: string, at?: Place): [JsonDesign, name: string] {
  const taken = new Set([usersName, ...blocksOf(design).map(({ name }) => name)]);
  let name = kind;
  for (let number = 2; taken.has(name); number++) name = `${kind}-${number}`;
  const bare = { kind, name };
  const tables: Readonly<Record<string, object>> = {
    gateway: { routes: {} },
    [proxyKind]: { sites: {} },
  };
  const block: BoardBlock = { ...bare, ...tables[kind] };
  const added = { ...design, blocks: [...blocksOf(design), block] };
  const hasEntry = blockOf(design, String(design.entry)) !== undefined;
  const entry = hasEntry ? design.entry : name;
  return [move({ ...added, entry }, name, at ?? besideAll(design)), name];
}

export function addUsers(design: JsonDesign, at?: Place): JsonDesign {
  if (usersOf(design)) return design;
  const places = [...placesOf(design).values()];
  const left = { x: Math.min(spacing.x, ...places.map(({ x }) => x)) - spacing.x, y: 0 };
  const place = at ?? freeAt(placesOf(design), left);
  return move({ ...design, users: { rate: '100/s' } }, usersName, place);
}

export function move(design: JsonDesign, name: string, { x, y }: Place): JsonDesign {
  const studio = isFields(design.studio) ? design.studio : {};
  const positions = { ...positionsIn(design), [name]: [Math.round(x), Math.round(y)] };
  return { ...design, studio: { ...studio, positions } };
}

/** Everywhere: calls, routes, entry, fault sentences, its place. */
export function rename(design: JsonDesign, name: string, to: string): JsonDesign {
  if (name === to || name === usersName) return design;
  const { [name]: at, ...positions } = positionsIn(design);
  const blocks = blocksOf(design).map((block) => {
    const named = block.name === name ? { ...block, name: to } : block;
    return retargeted(named, (target) => (target === name ? to : target));
  });
  const renamed: JsonDesign = {
    ...design,
    blocks,
    ...(design.entry === name ? { entry: to } : {}),
    ...(Array.isArray(design.faults)
      ? { faults: design.faults.map((sentence) => inSentence(String(sentence), name, to)) }
      : {}),
  };
  if (at === undefined) return renamed;
  const studio = isFields(design.studio) ? design.studio : {};
  return { ...renamed, studio: { ...studio, positions: { ...positions, [to]: at } } };
}

/** With everything that leads to it. */
export function remove(design: JsonDesign, name: string): JsonDesign {
  const { [name]: _at, ...positions } = positionsIn(design);
  const studio = { ...(isFields(design.studio) ? design.studio : {}), positions };
  if (name === usersName) {
    const { users: _users, ...rest } = design;
    return { ...rest, studio };
  }
  const blocks = blocksOf(design)
    .filter((block) => block.name !== name)
    .map((block) => retargeted(block, (target) => (target === name ? undefined : target)));
  const entry = design.entry === name ? (blocks[0]?.name ?? '') : design.entry;
  return { ...design, blocks, entry, studio };
}

/** Users lead to the entry; a gateway routes; a balancer leads to one; a proxy asks the first for any host; whatever else calls. */
export function connect(design: JsonDesign, from: string, to: string): JsonDesign {
  if (from === to || to === usersName || !blockOf(design, to)) return design;
  if (from === usersName) return { ...design, entry: to };
  const block = blockOf(design, from);
  if (!block || !mayCall(block.kind)) return design;
  if (wiresOf(design).some((wire) => wire.from === from && wire.to === to)) return design;
  if (block.kind === 'gateway') {
    const { routes } = block;
    const path = ways(routes).some((way) => way.path === '/') ? `/${to}` : '/';
    const more = Array.isArray(routes)
      ? [...routes, { path, to }]
      : { ...(isFields(routes) ? routes : {}), [path]: to };
    return withBlock(design, from, { ...block, routes: more });
  }
  if (block.kind === proxyKind) {
    const sites = isFields(block.sites) ? block.sites : {};
    const host = '*' in sites ? to : '*';
    return withBlock(design, from, { ...block, sites: { ...sites, [host]: to } });
  }
  if (leads(block.kind)) return withBlock(design, from, { ...block, to });
  const calls = Array.isArray(block.calls) ? block.calls : [];
  return withBlock(design, from, { ...block, calls: [...calls, to] });
}

export function disconnect(design: JsonDesign, from: string, to: string): JsonDesign {
  const block = blockOf(design, from);
  if (!block) return design;
  return withBlock(
    design,
    from,
    retargeted(block, (target) => (target === to ? undefined : target)),
  );
}

/** `policy.timeout` is an option within an option. `undefined` takes it away. */
export function setOption(
  design: JsonDesign,
  name: string,
  option: string,
  value: unknown,
): JsonDesign {
  const fields = name === usersName ? usersOf(design) : blockOf(design, name);
  if (!fields) return design;
  const changed = withOption(fields, option.split('.'), value);
  return name === usersName
    ? { ...design, users: changed }
    : withBlock(design, name, changed as BoardBlock);
}

function withOption(
  fields: Fields,
  [first = '', ...further]: readonly string[],
  value: unknown,
): Fields {
  const { [first]: former, ...rest } = fields;
  const next =
    further.length === 0 ? value : withOption(isFields(former) ? former : {}, further, value);
  const isGone =
    next === undefined || (further.length > 0 && Object.keys(next as Fields).length === 0);
  return isGone ? rest : { ...rest, [first]: next };
}

/** Options as a form has them: `policy.timeout`. */
export function optionsIn(fields: Fields, before = ''): readonly (readonly [string, unknown])[] {
  return Object.entries(fields).flatMap(([name, value]) =>
    isFields(value)
      ? optionsIn(value, `${before}${name}.`)
      : [[`${before}${name}`, value] as const],
  );
}

/** Who may lead somewhere: what stands outside does not call back. */
export function mayCall(kind: string): boolean {
  return kind !== 'external';
}

/** Which name the block that they lead to in `to`. */
export function leads(kind: string): boolean {
  return kind === 'balancer';
}

/** Why `to` cannot be a name here; undefined: it can. */
export function nameProblem(design: JsonDesign, name: string, to: string): string | undefined {
  if (to === name) return undefined;
  if (!/^[a-zA-Z][a-zA-Z0-9-]*$/.test(to)) {
    return 'A name begins with a letter; letters, digits and hyphens follow.';
  }
  if (to === usersName) return 'The load has this name.';
  return blockOf(design, to) ? 'Another block has this name.' : undefined;
}

function withBlock(design: JsonDesign, name: string, block: BoardBlock): JsonDesign {
  const blocks = blocksOf(design).map((each) => (each.name === name ? block : each));
  return { ...design, blocks };
}

// Calls ------------------------------------------------------------------------------------------

/** A block with each of its targets replaced, or left out. */
function retargeted(block: BoardBlock, change: (target: string) => string | undefined): BoardBlock {
  const { calls, routes, sites, to, ...rest } = block;
  const led = typeof to === 'string' && leads(block.kind) ? change(to) : to;
  return {
    ...rest,
    ...(led === undefined ? {} : { to: led }),
    ...(Array.isArray(calls)
      ? { calls: calls.flatMap((step) => stepWith(step, change) ?? []) }
      : {}),
    ...(isFields(routes) ? { routes: tableWith(routes, change) } : {}),
    ...(isFields(sites) ? { sites: tableWith(sites, change) } : {}),
    ...(Array.isArray(routes)
      ? { routes: routes.flatMap((route) => routeWith(route, change) ?? []) }
      : {}),
  } as BoardBlock;
}

function tableWith(table: Fields, change: (target: string) => string | undefined): Fields {
  return Object.fromEntries(
    Object.entries(table).flatMap(([key, target]) => {
      const to = change(String(target));
      return to === undefined ? [] : [[key, to] as const];
    }),
  );
}

function listed(to: unknown): readonly string[] {
  return typeof to === 'string' ? [to] : [];
}

/** Where a gateway leads, of both its forms: a table of paths, and a list whose entries may put a page together. */
function ways(routes: unknown): readonly { readonly path: string; readonly to: string }[] {
  if (!Array.isArray(routes)) {
    const table = Object.entries(isFields(routes) ? routes : {});
    return table.map(([path, to]) => ({ path, to: String(to) }));
  }
  return routes.filter(isFields).flatMap((route) => {
    const path = typeof route.path === 'string' ? route.path : '/';
    if (typeof route.to === 'string') return [{ path, to: route.to }];
    const from = Object.values(partsOf(route.to)).map((part) => String(part.from));
    return [...new Set(from)].map((to) => ({ path, to }));
  });
}

/** A page loses a part with the block that it came from; without any it is no route. */
function routeWith(route: unknown, change: (target: string) => string | undefined): unknown {
  if (!isFields(route) || route.to === undefined) return route;
  if (typeof route.to === 'string') {
    const to = change(route.to);
    return to === undefined ? undefined : { ...route, to };
  }
  const parts = Object.entries(partsOf(route.to)).flatMap(([name, part]) => {
    const from = change(String(part.from));
    return from === undefined ? [] : [[name, { ...part, from }] as const];
  });
  if (parts.length === 0) return undefined;
  const { aggregate } = route.to as { readonly aggregate: Fields };
  return { ...route, to: { aggregate: { ...aggregate, parts: Object.fromEntries(parts) } } };
}

function partsOf(to: unknown): Readonly<Record<string, Fields>> {
  const made = isFields(to) && isFields(to.aggregate) ? to.aggregate.parts : undefined;
  const parts = Object.entries(isFields(made) ? made : {});
  return Object.fromEntries(parts.filter((part): part is [string, Fields] => isFields(part[1])));
}

function stepWith(step: unknown, change: (target: string) => string | undefined): unknown {
  if (typeof step === 'string') return change(step);
  if (!isFields(step)) return step;
  for (const verb of ['parallel', 'sequence'] as const) {
    const steps = step[verb];
    if (!Array.isArray(steps)) continue;
    const left = steps.flatMap((each) => stepWith(each, change) ?? []);
    return left.length === 0 ? undefined : { [verb]: left };
  }
  if ('optional' in step) {
    const inner = stepWith(step.optional, change);
    return inner === undefined ? undefined : { optional: inner };
  }
  if (isFields(step.sometimes)) {
    const call = stepWith(step.sometimes.call, change);
    return call === undefined ? undefined : { sometimes: { ...step.sometimes, call } };
  }
  return step;
}

export function targetsIn(step: unknown): string[] {
  if (typeof step === 'string') return [step];
  if (Array.isArray(step)) return step.flatMap(targetsIn);
  if (!isFields(step)) return [];
  return [
    ...targetsIn(step.parallel),
    ...targetsIn(step.sequence),
    ...targetsIn(step.optional),
    ...(isFields(step.sometimes) ? targetsIn(step.sometimes.call) : []),
  ];
}

/** `api` in `kill api/1 at 3s`, not in `api-2`. */
function inSentence(sentence: string, name: string, to: string): string {
  return sentence
    .split(' ')
    .map((word) => word.replace(/^([^/,]+)/, (part) => (part === name ? to : part)))
    .join(' ');
}

// Places -----------------------------------------------------------------------------------------

function positionsIn(design: JsonDesign): Fields {
  const studio = isFields(design.studio) ? design.studio : {};
  return isFields(studio.positions) ? studio.positions : {};
}

/** Steps from the users, so that what is loaded from a file without places reads left to right. */
function depthsOf(design: JsonDesign, names: readonly string[]): ReadonlyMap<string, number> {
  const depths = new Map(names.map((name) => [name, 0]));
  const wires = wiresOf(design);
  // Each round settles one more step; circles end with the rounds.
  for (let round = 0; round < names.length; round++) {
    for (const { from, to } of wires) {
      const depth = depths.get(from)! + 1;
      if (depth > depths.get(to)! && depth < names.length) depths.set(to, depth);
    }
  }
  return depths;
}

/** Designs grow to the right. */
function besideAll(design: JsonDesign): Place {
  const places = [...placesOf(design).values()];
  const last = places.toSorted((a, b) => b.x - a.x)[0];
  return last ? { x: last.x + spacing.x, y: last.y } : { x: 0, y: 0 };
}

function freeAt(places: ReadonlyMap<string, Place>, wanted: Place): Place {
  const taken = [...places.values()];
  let { x, y } = wanted;
  while (
    taken.some((at) => Math.abs(at.x - x) < spacing.x - 40 && Math.abs(at.y - y) < spacing.y - 20)
  ) {
    y += spacing.y;
  }
  return { x, y };
}

function isBlock(value: unknown): value is BoardBlock {
  return isFields(value) && typeof value.name === 'string' && typeof value.kind === 'string';
}

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
