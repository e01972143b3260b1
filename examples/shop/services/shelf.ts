/**
 * Who gets which pieces. A pure function of the demands of a partition, in their order: two instances that
 * both believe the partition to be theirs come to the same answer, and an instance that has lost its memory
 * reads the log again. So no lock is needed, and none could be lost.
 */
import type { Demand, Shelf } from '../blocks.ts';
import { bySku } from '../data/products.ts';

export const emptyShelf: Shelf = { offset: -1, sold: {} };

/** The shelf after one more demand. */
export function after(shelf: Shelf, demand: Demand, offset: number): Shelf {
  const { id, sku, count } = demand.order;
  const before = shelf.sold[sku] ?? {};
  const mine = piecesOf(shelf, sku, id);
  if (demand.type === 'return') {
    const kept = Object.entries(before).filter(([, order]) => order !== id);
    return { offset, sold: { ...shelf.sold, [sku]: Object.fromEntries(kept) } };
  }
  const free = freePieces(shelf, sku);
  // Asked for twice it is given once; all of it or nothing.
  if (mine.length > 0 || free.length < count) return { ...shelf, offset };
  const taken = Object.fromEntries(free.slice(0, count).map((piece) => [String(piece), id]));
  return { offset, sold: { ...shelf.sold, [sku]: { ...before, ...taken } } };
}

/** What an order got. */
export function piecesOf(shelf: Shelf, sku: string, order: string): readonly number[] {
  return Object.entries(shelf.sold[sku] ?? {})
    .filter(([, owner]) => owner === order)
    .map(([piece]) => Number(piece));
}

export function freePieces(shelf: Shelf, sku: string): readonly number[] {
  const sold = shelf.sold[sku] ?? {};
  const all = Array.from({ length: bySku.get(sku)?.pieces ?? 0 }, (_, piece) => piece);
  return all.filter((piece) => sold[piece] === undefined);
}
