/** What purges say to one another: who purges, the log, and the edges. Requests are of `host/web.ts`. */
import type { Purge } from '../../../parts/http-cache.ts';

export type PurgeMessage =
  /** Remove this everywhere. */
  | { readonly type: 'purge'; readonly id: number; readonly purge: Purge }
  /** No edge serves it any more. `edges`: how many said so; the others serve nothing that is stored. */
  | {
      readonly type: 'purged';
      readonly id: number;
      readonly version: number;
      readonly edges: number;
    }
  /** It was not written down, and is not done. */
  | { readonly type: 'unpurged'; readonly id: number }
  /** An edge has applied everything up to `version`, and asks for what came after. */
  | {
      readonly type: 'poll';
      readonly id: number;
      readonly version: number;
      readonly isShield: boolean;
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

export function describePurge(message: PurgeMessage): string {
  switch (message.type) {
    case 'purge':
      return `purge #${message.id} ${textOf(message.purge)}`;
    case 'purged':
      return `purged #${message.id} version=${message.version} edges=${message.edges}`;
    case 'unpurged':
      return `unpurged #${message.id}`;
    case 'poll':
      return `poll version=${message.version}${message.isShield ? ' shield' : ''}`;
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
