/** Paths of routes as regular expressions, in the little that PCRE and RE2 have in common. */

import type { RouteConfig } from '../../blocks/edge/gateway/config.ts';
import { partsOf } from '../../blocks/edge/gateway/router.ts';

export function hasParameters(path: string): boolean {
  return partsOf(path).some((part) => part === '*' || part.startsWith(':'));
}

/** What follows `^`: the paths that the route covers. */
export function pathPattern({ path, isExact }: Pick<RouteConfig, 'path' | 'isExact'>): string {
  if (path === '/') return isExact ? '/$' : '/';
  if (hasParameters(path)) return `${captures(path, '[^/]+')}$`;
  return isExact ? `${escaped(path)}$` : `${escaped(path)}(/|$)`;
}

/** With a group for each `:name` and for the `*` at the end, whose leading slashes are left out. */
export function captures(path: string, part: string): string {
  const source = partsOf(path).map((one) => {
    if (one === '*') return '(?:/+(.*))?';
    return one.startsWith(':') ? `/(${part})` : `/${escaped(one)}`;
  });
  return source.length === 0 ? '/' : source.join('');
}

/** `/v2/users/:id` as pieces: text, or the place of a parameter in `path`, counted from 1. */
export type Piece =
  | { readonly text: string }
  | { readonly index: number; readonly isRest: boolean };

/** `index` counts parts of the path, or with `by: 'group'` the groups of `captures`. */
export function pieces(template: string, path: string, by: 'part' | 'group'): readonly Piece[] {
  const parts = partsOf(path);
  const counted = by === 'part' ? parts : parts.filter((one) => one === '*' || one.startsWith(':'));
  return template.split(/(:[A-Za-z]\w*|\*)/).flatMap((piece): Piece[] => {
    const at = counted.indexOf(piece);
    if (at >= 0 && /^[:*]/.test(piece)) return [{ index: at + 1, isRest: piece === '*' }];
    return piece === '' ? [] : [{ text: piece }];
  });
}

/** A letter that means something, in both dialects, stands behind a backslash; nothing else does. */
export function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}

/** `/a%20b` as a server sees it that decodes before it matches. */
export function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
