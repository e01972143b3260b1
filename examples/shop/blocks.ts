/** What the shop keeps, and where: every service its own store, and two logs between them. */
import { cache, kv, topic } from 'loadpath';

export type Cart = {
  /** Pieces by product. */
  readonly lines: Readonly<Record<string, number>>;
};

/** One line of a cart at checkout: reserved, paid and sent by itself. Never changed once it is written. */
export type Order = {
  readonly id: string;
  readonly user: string;
  readonly sku: string;
  readonly count: number;
  readonly cents: number;
  readonly placedAt: number;
};

/** How an order ended. Until then it is `placed`. */
export type Outcome = {
  readonly state: 'paid' | 'declined' | 'sold out';
  /** Which pieces of the product it got. */
  readonly pieces: readonly number[];
};

/** All orders that one checkout made: who sends it twice gets the same ones. */
export type Checkout = {
  readonly orders: readonly Order[];
  /** The customer may rely on it: all of them are in the log. */
  readonly taken: boolean;
};

/** For the stock, in one order for each product: somebody wants pieces, or gives them back. */
export type Demand =
  | { readonly type: 'order'; readonly order: Order }
  | { readonly type: 'return'; readonly order: Order };

/** For everybody: what happened. */
export type News =
  | {
      readonly type: 'reserved';
      readonly about: string;
      readonly order: Order;
      readonly pieces: readonly number[];
    }
  | {
      readonly type: 'ended';
      readonly about: string;
      readonly order: Order;
      readonly outcome: Outcome;
    }
  | { readonly type: 'reviewed'; readonly about: string; readonly review: Review };

export type Review = {
  readonly user: string;
  readonly sku: string;
  readonly stars: number;
  readonly text: string;
};

export type Ratings = {
  readonly count: number;
  readonly sum: number;
  readonly latest: readonly Review[];
  /** The news counted last: what is delivered again is not counted again. */
  readonly offset: number;
};

/** What a stock instance has worked out from a partition of demands, up to and with `offset`. */
export type Shelf = {
  readonly offset: number;
  /** By product: the order that each piece was sold to. */
  readonly sold: Readonly<Record<string, Readonly<Record<string, string>>>>;
};

export const blocks = {
  carts: kv<Cart>('carts', { consistency: 'quorum' }),
  /** Orders and how they ended: a read sees the last write, whichever instance answers. */
  ledger: kv<Order | Outcome | Checkout>('ledger', { consistency: 'atomic', timeout: '500ms' }),
  /** A shortcut through the log of demands, and what pages show of the stock. */
  shelves: kv<Shelf | { readonly left: number }>('shelves', { consistency: 'quorum' }),
  ratings: kv<Ratings>('ratings', { consistency: 'quorum' }),
  hot: cache<Ratings>('hot', { nodes: 2, ttl: '10s', negativeTtl: '10s' }),
  /** All demand for a product is in one partition, and a partition has one reader: nothing is sold twice. */
  demand: topic<Demand>('demand', { partitions: 4, batch: 20, key: ({ order }) => order.sku }),
  /** Small batches: one charge that fails has the whole batch delivered again. */
  news: topic<News>('news', { partitions: 4, batch: 5, key: ({ about }) => about }),
};
