/**
 * What purges say to one another: who purges, the log, and the members, which are the caches that it
 * tells. Requests are of `host/web.ts`.
 */
import type { Declaration } from '../host/declaration.ts';
import type { Micros, NodeId } from '../host/host.ts';
import { describeWeb, type WebMessage } from '../host/web.ts';
import type { Purge } from '../parts/http-cache.ts';

export type PurgeMessage =
  /** Remove this everywhere. */
  | { readonly type: 'purge'; readonly id: number; readonly purge: Purge }
  /** No member serves it any more. `edges`: how many said so; the others serve nothing that is stored. */
  | {
      readonly type: 'purged';
      readonly id: number;
      readonly version: number;
      readonly edges: number;
    }
  /** It was not written down, and is not done. */
  | { readonly type: 'unpurged'; readonly id: number }
  /** A member has applied everything up to `version`, and asks for what came after. */
  | {
      readonly type: 'poll';
      readonly id: number;
      readonly version: number;
      /** How far it is from the origin: who is nearer is told first. */
      readonly step: number;
    }
  /**
   * What came after: apply it, and you may serve until a lease after poll `id` was sent. `all`: too much
   * was missed, start empty.
   */
  | {
      readonly type: 'news';
      readonly id: number;
      readonly version: number;
      readonly purges: readonly Purge[];
      readonly all: boolean;
    };

const types: ReadonlySet<string> = new Set(['purge', 'purged', 'unpurged', 'poll', 'news']);

/** Of a block that speaks both. */
export function describeWebOrPurge(message: { readonly type: string }): string {
  return types.has(message.type)
    ? describePurge(message as PurgeMessage)
    : describeWeb(message as WebMessage);
}

function describePurge(message: PurgeMessage): string {
  switch (message.type) {
    case 'purge':
      return `purge #${message.id} ${textOf(message.purge)}`;
    case 'purged':
      return `purged #${message.id} version=${message.version} edges=${message.edges}`;
    case 'unpurged':
      return `unpurged #${message.id}`;
    case 'poll':
      return `poll version=${message.version} step=${message.step}`;
    case 'news': {
      const what = message.all ? 'start empty' : message.purges.map(textOf).join(', ') || 'none';
      return `news version=${message.version} ${what}`;
    }
  }
}

export function textOf(purge: Purge): string {
  switch (purge.by) {
    case 'url':
      return purge.url;
    case 'prefix':
      return `${purge.prefix}*`;
    case 'tag':
      return `tag ${purge.tag}`;
    case 'age':
      return `older than ${Math.round(purge.ageUs / 1_000_000)}s`;
    case 'all':
      return 'everything';
  }
}

/** How a cache is told of purges: by whom, and how long it may serve without hearing of them. */
export type PurgesPlan = {
  readonly log: NodeId;
  readonly leaseUs: Micros;
  readonly step: number;
};

export const purgesPort = 'purges';

/** By which what `declaration` keeps can be removed, if it is told of purges. */
export function purgesOf({ binds }: Declaration): Declaration | undefined {
  return Object.values(binds).find(({ block }) => block.kind === 'purges');
}

/** The node that keeps the log of `purges`. */
export function logOf({ name }: Declaration): NodeId {
  return `${name}/0`;
}

/**
 * How many steps of caches that hear of `purges` there are behind `declaration`: one that was purged
 * before those that it asks would fetch the old one from them, and keep it. Each takes two, for a CDN has a
 * shield before its edges.
 */
export function stepsBehind(declaration: Declaration, purges: Declaration): number {
  const found = new Map<Declaration, number>();
  function behind(one: Declaration): number {
    let steps = found.get(one);
    if (steps === undefined) {
      const next = Object.values(one.binds).filter(({ block }) => block.servesWeb);
      steps = Math.max(
        0,
        ...next.map(
          (to) => behind(to) + (to.block.family === 'edge' && purgesOf(to) === purges ? 2 : 0),
        ),
      );
      found.set(one, steps);
    }
    return steps;
  }
  return behind(declaration);
}

/** Null: it binds none, and hears of none. `own`: 1 for an edge that may have a shield behind it, else 0. */
export function purgesPlan(declaration: Declaration, own: 0 | 1): PurgesPlan | null {
  const purges = purgesOf(declaration);
  if (!purges) return null;
  const { leaseUs } = purges.config as { readonly leaseUs: Micros };
  return { log: logOf(purges), leaseUs, step: stepsBehind(declaration, purges) + own };
}
