/**
 * One request as rows of parts, and where its time went. Pure.
 *
 *   sent ──network──▶ arrived ──queued──served──(waiting for others)── replied ──network──▶ ended
 *
 * Within a span only the lengths of queueing and serving are known, not when: what its own calls do
 * not cover is filled with queueing first and then with serving.
 */
import type { Span, Waterfall } from 'loadpath/studio';
import { durationText } from '../parts/format.ts';

export type PartKind = 'network' | 'queued' | 'served' | 'waiting' | 'other' | 'lost';

export interface Part {
  readonly kind: PartKind;
  readonly fromUs: number;
  readonly toUs: number;
  /** The caller had given up: this was for nobody. */
  readonly isAbandoned: boolean;
}

export interface WaterfallRow {
  readonly span: Span;
  readonly depth: number;
  readonly parts: readonly Part[];
  /** When the caller gave up although work went on. */
  readonly gaveUpAt: number | null;
  readonly endUs: number;
}

export interface WaterfallRows {
  readonly rows: readonly WaterfallRow[];
  readonly fromUs: number;
  readonly toUs: number;
}

export const partWords: Readonly<Record<PartKind, string>> = {
  network: 'on the network',
  queued: 'queued',
  served: 'served',
  waiting: 'waiting for its own calls',
  other: 'waiting inside: disk, timers',
  lost: 'waiting for what never came',
};

export function rowsOf({ request, spans }: Waterfall): WaterfallRows {
  const children = childrenOf(spans);
  const depths = new Map<number, number>();
  const rows = inOrder(children).map((span): WaterfallRow => {
    const depth = span.parent === null ? 0 : (depths.get(span.parent) ?? -1) + 1;
    depths.set(span.id, depth);
    const { endedAt, repliedAt } = span;
    const gaveUp =
      endedAt !== null && (repliedAt === null || repliedAt > endedAt) && span.arrivedAt !== null;
    return {
      span,
      depth,
      parts: partsOf(span, children.get(span.id) ?? []),
      gaveUpAt: gaveUp && span.outcome !== 'ok' ? endedAt : null,
      endUs: endOf(span),
    };
  });
  const ends = rows.map((row) => row.endUs);
  const toUs = Math.max(request.startUs + (request.latencyUs ?? 0), ...ends, request.startUs + 1);
  return { rows, fromUs: request.startUs, toUs };
}

export function partsOf(span: Span, children: readonly Span[]): Part[] {
  const { sentAt, arrivedAt, repliedAt, endedAt } = span;
  const parts: Part[] = [];
  const add = (kind: PartKind, fromUs: number, toUs: number) => {
    if (toUs <= fromUs) return;
    // A part that the caller's giving up falls into is two.
    const cut = endedAt !== null && endedAt > fromUs && endedAt < toUs ? endedAt : null;
    const isAbandoned = endedAt !== null && fromUs >= endedAt;
    if (cut === null) parts.push({ kind, fromUs, toUs, isAbandoned });
    else {
      parts.push({ kind, fromUs, toUs: cut, isAbandoned: false });
      parts.push({ kind, fromUs: cut, toUs, isAbandoned: true });
    }
  };
  if (arrivedAt === null) {
    add('lost', sentAt, endedAt ?? sentAt);
    return parts;
  }
  add('network', sentAt, arrivedAt);
  const leftAt =
    repliedAt ?? Math.max(arrivedAt + span.queuedUs + span.servedUs, ...children.map(endOf));
  let queuedUs = span.queuedUs;
  let servedUs = span.servedUs;
  for (const gap of cover(arrivedAt, leftAt, children)) {
    if (gap.isCovered) {
      add('waiting', gap.fromUs, gap.toUs);
      continue;
    }
    const queueEnd = Math.min(gap.toUs, gap.fromUs + queuedUs);
    const serveEnd = Math.min(gap.toUs, queueEnd + servedUs);
    add('queued', gap.fromUs, queueEnd);
    add('served', queueEnd, serveEnd);
    add('other', serveEnd, gap.toUs);
    queuedUs -= queueEnd - gap.fromUs;
    servedUs -= serveEnd - queueEnd;
  }
  if (repliedAt !== null && endedAt !== null && endedAt >= repliedAt)
    add('network', repliedAt, endedAt);
  else if (repliedAt === null && endedAt !== null) add('lost', leftAt, endedAt);
  return parts;
}

export interface Share {
  readonly kind: PartKind;
  /** A node, or two with an arrow between. */
  readonly where: string;
  readonly us: number;
}

/**
 * The user's wait, each instant given to what it was spent on: going back from the end, from the
 * call that ended last to what it was waiting for. The greatest share comes first.
 */
export function sharesOf({ spans }: Waterfall): Share[] {
  const children = childrenOf(spans);
  const totals = new Map<string, { kind: PartKind; where: string; us: number }>();
  const give = (span: Span, fromUs: number, toUs: number) => {
    for (const part of partsOf(span, children.get(span.id) ?? [])) {
      const us = Math.min(part.toUs, toUs) - Math.max(part.fromUs, fromUs);
      if (us <= 0) continue;
      const where = part.kind === 'network' ? `${span.from} → ${span.to}` : span.to;
      const kind = part.kind === 'waiting' ? 'other' : part.kind;
      const key = `${kind} ${where}`;
      const total = totals.get(key) ?? { kind, where, us: 0 };
      total.us += us;
      totals.set(key, total);
    }
  };
  const walk = (span: Span, fromUs: number, toUs: number) => {
    let at = toUs;
    const calls = [...(children.get(span.id) ?? [])].sort(
      (a, b) => waitedUntil(b) - waitedUntil(a),
    );
    for (const call of calls) {
      const end = Math.min(waitedUntil(call), at);
      const start = Math.max(call.sentAt, fromUs);
      if (end <= start) continue;
      give(span, end, at);
      walk(call, start, end);
      at = start;
    }
    give(span, fromUs, at);
  };
  for (const root of children.get(null) ?? []) walk(root, root.sentAt, waitedUntil(root));
  return [...totals.values()].sort((a, b) => b.us - a.us);
}

/** `62 % of 48 ms was spent waiting for a core or a slot of api/1.` */
export function whereTimeWent(waterfall: Waterfall): string {
  const shares = sharesOf(waterfall);
  const whole = shares.reduce((total, share) => total + share.us, 0);
  const [first, second] = shares;
  if (!first || whole === 0) return 'Nothing is known of where its time went.';
  const percent = (us: number) => `${Math.round((us / whole) * 100)} %`;
  const rest =
    second && second.us / whole >= 0.15 ? `, ${percent(second.us)} ${spent(second)}` : '';
  return `${percent(first.us)} of ${durationText(whole)} ${spent(first)}${rest}.`;
}

function spent({ kind, where }: Share): string {
  switch (kind) {
    case 'queued':
      return `waiting for a core or a slot of ${where}`;
    case 'served':
      return `at work on ${where}`;
    case 'network':
      return `on the network between ${where.replace(' → ', ' and ')}`;
    case 'lost':
      return `waiting for an answer of ${where} that never came`;
    case 'waiting':
    case 'other':
      return `waiting inside ${where} (disk or timers)`;
  }
}

/** Exact figures of a span, in one line. */
export function spanInWords({ span, parts, gaveUpAt }: WaterfallRow): string {
  const totals = new Map<PartKind, number>();
  for (const part of parts)
    totals.set(part.kind, (totals.get(part.kind) ?? 0) + part.toUs - part.fromUs);
  const told = [...totals].map(([kind, us]) => `${durationText(us)} ${partWords[kind]}`);
  const retry = span.attempt > 1 ? `, attempt ${span.attempt}` : '';
  const end =
    gaveUpAt === null
      ? outcomeWords[span.outcome]
      : `${outcomeWords[span.outcome]}; the work went on without anybody waiting`;
  return `${span.from} → ${span.to}: ${span.what}${retry}. ${told.join(', ')}. ${end}.`;
}

export const outcomeWords: Readonly<Record<Span['outcome'], string>> = {
  ok: 'Answered',
  error: 'Answered with an error',
  timeout: 'Timed out',
  refused: 'Refused: nobody listened there',
  reset: 'The connection broke',
  lost: 'Lost on the way',
  abandoned: 'Nobody waited for it any more',
};

/** Answered, but after its caller had given up. */
export function isLate({ repliedAt, endedAt }: Span): boolean {
  return repliedAt !== null && endedAt !== null && repliedAt > endedAt;
}

function endOf(span: Span): number {
  return Math.max(span.sentAt, span.arrivedAt ?? 0, span.repliedAt ?? 0, span.endedAt ?? 0);
}

/** Until when its caller waited for it. */
function waitedUntil(span: Span): number {
  return span.endedAt ?? endOf(span);
}

function childrenOf(spans: readonly Span[]): Map<number | null, Span[]> {
  const known = new Set(spans.map((span) => span.id));
  const children = new Map<number | null, Span[]>();
  for (const span of spans) {
    // What was left out of a long list may have been a parent.
    const parent = span.parent !== null && known.has(span.parent) ? span.parent : null;
    const siblings = children.get(parent);
    if (siblings) siblings.push(span);
    else children.set(parent, [span]);
  }
  return children;
}

function inOrder(children: ReadonlyMap<number | null, readonly Span[]>): Span[] {
  const ordered: Span[] = [];
  const visit = (parent: number | null) => {
    const below = [...(children.get(parent) ?? [])].sort(
      (a, b) => a.sentAt - b.sentAt || a.id - b.id,
    );
    for (const span of below) {
      ordered.push(span);
      visit(span.id);
    }
  };
  visit(null);
  return ordered;
}

interface Gap {
  readonly fromUs: number;
  readonly toUs: number;
  /** While at least one of its own calls was under way. */
  readonly isCovered: boolean;
}

function cover(fromUs: number, toUs: number, children: readonly Span[]): Gap[] {
  const gaps: Gap[] = [];
  let at = fromUs;
  for (const child of [...children].sort((a, b) => a.sentAt - b.sentAt)) {
    const start = Math.min(toUs, Math.max(at, child.sentAt));
    const end = Math.min(toUs, waitedUntil(child));
    if (end <= start) continue;
    if (start > at) gaps.push({ fromUs: at, toUs: start, isCovered: false });
    const last = gaps.at(-1);
    if (last?.isCovered && last.toUs === start) gaps[gaps.length - 1] = { ...last, toUs: end };
    else gaps.push({ fromUs: start, toUs: end, isCovered: true });
    at = end;
  }
  if (toUs > at) gaps.push({ fromUs: at, toUs, isCovered: false });
  return gaps;
}
