/** What the shop promises besides its figures, looked up in everything that was ever written into the ledger. */
import { type Invariant, invariant } from 'loadpath/verify';
import { blocks, type Checkout, type Outcome } from './blocks.ts';

type Write = { readonly key: string; readonly value: unknown };
type Found = string | { readonly kept: string };

const ofLedger = (name: string, check: (writes: readonly Write[]) => Found): Invariant => ({
  ...invariant(name, (history) => {
    const writes = history.flatMap(({ block, f, phase, key, value }) =>
      block === blocks.ledger.name && f === 'put' && phase === 'invoke'
        ? [{ key: String(key), value }]
        : [],
    );
    const found = check(writes);
    return typeof found === 'string' ? found : { verdict: 'holds', detail: found.kept };
  }),
  block: blocks.ledger.name,
});

/** However often a batch was delivered, and whoever believed a partition to be theirs. */
export const soldOnce = ofLedger('no piece is sold twice', (writes) => {
  const buyers = new Map<string, string>();
  for (const { key, value } of writes) {
    const { state, pieces } = value as Outcome;
    if (!key.endsWith(' ended') || state !== 'paid') continue;
    const order = key.slice(0, -' ended'.length);
    for (const number of pieces) {
      const piece = `piece ${number} of ${order.split('.').at(-1)}`;
      const buyer = buyers.get(piece) ?? order;
      if (buyer !== order) return `${piece} was sold to ${buyer} and to ${order}`;
      buyers.set(piece, order);
    }
  }
  return { kept: `${buyers.size} pieces, a buyer each` };
});

/** What a customer was told is taken comes to an end: paid, declined or sold out, and to one only. */
export const noneLost = ofLedger('no order is lost', (writes) => {
  const ends = new Map<string, string>();
  for (const { key, value } of writes) {
    if (!key.endsWith(' ended')) continue;
    const order = key.slice(0, -' ended'.length);
    const { state } = value as Outcome;
    const before = ends.get(order) ?? state;
    if (before !== state) return `${order} was ${before}, and then ${state}`;
    ends.set(order, state);
  }
  const taken = writes.flatMap(({ key, value }) =>
    key.startsWith('checkout ') && (value as Checkout).taken ? (value as Checkout).orders : [],
  );
  const lost = taken.find(({ id }) => !ends.has(id));
  if (lost) return `${lost.id} was taken, and never came to an end`;
  return { kept: `${taken.length} orders, an end each` };
});
