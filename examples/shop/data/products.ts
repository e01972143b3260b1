/**
 * What the shop sells: 240 pieces for house and garden, made from two lists of words, so that names read like
 * those of a shop, and every process makes the same ones. `rank` is how popular a piece is: 0 is asked for most.
 */

export type Product = {
  readonly sku: string;
  readonly name: string;
  readonly category: string;
  readonly material: string;
  readonly seller: string;
  readonly listCents: number;
  readonly grams: number;
  /** Pieces that there were before the first order. */
  readonly pieces: number;
  readonly rank: number;
};

export type Seller = {
  readonly id: string;
  readonly name: string;
  readonly city: string;
  readonly since: number;
  /** Hours until a parcel is handed over. */
  readonly packsIn: number;
};

const materials =
  'Amber Birch Copper Dune Elm Flint Granite Hazel Indigo Juniper Linen Maple Oak Pine Quartz Rattan Slate Teak Umber Velvet Walnut Willow Yarrow Zinc'.split(
    ' ',
  );

/** Noun, category, cheapest and dearest in cents, weight in grams. */
const pieces = [
  ['Table Lamp', 'lighting', 2_900, 9_900, 1_800],
  ['Lantern', 'lighting', 1_400, 4_900, 900],
  ['Armchair', 'seating', 14_900, 49_900, 16_000],
  ['Stool', 'seating', 3_900, 12_900, 4_200],
  ['Bench', 'garden', 9_900, 29_900, 19_000],
  ['Planter', 'garden', 1_200, 6_900, 3_500],
  ['Bowl', 'kitchen', 900, 3_900, 700],
  ['Carafe', 'kitchen', 1_500, 4_500, 1_100],
  ['Blanket', 'textiles', 2_500, 8_900, 1_300],
  ['Cushion', 'textiles', 900, 3_500, 500],
] as const;

export const sellers: readonly Seller[] = [
  { id: 'harbour', name: 'Harbour & Sons', city: 'Bremen', since: 1987, packsIn: 12 },
  { id: 'nordlys', name: 'Nordlys Workshop', city: 'Bergen', since: 2009, packsIn: 24 },
  { id: 'loft', name: 'The Loft', city: 'Ghent', since: 2016, packsIn: 6 },
  { id: 'tilde', name: 'Tilde Ceramics', city: 'Porto', since: 2012, packsIn: 36 },
  { id: 'fjell', name: 'Fjell Textiles', city: 'Tromsø', since: 1998, packsIn: 48 },
];

/** A number from 0 to below `below`, the same for the same `seed`. */
function chosen(seed: number, below: number): number {
  const mixed = Math.imul(seed ^ 0x5bd1e995, 0x9e3779b1) >>> 0;
  return ((mixed ^ (mixed >>> 15)) >>> 0) % below;
}

export const products: readonly Product[] = pieces.flatMap(
  ([noun, category, from, to, grams], kind) =>
    materials.map((material, index): Product => {
      const number = kind * materials.length + index;
      return {
        sku: `p-${String(number).padStart(3, '0')}`,
        name: `${material} ${noun}`,
        category,
        material,
        seller: sellers[chosen(number * 7, sellers.length)]!.id,
        listCents: from + 100 * chosen(number * 13, Math.round((to - from) / 100)),
        grams: grams + 50 * chosen(number * 17, 9),
        pieces: 4 + chosen(number * 29, 17),
        // 101 has no factor in common with 240: every rank is taken once, all over the list.
        rank: (number * 101 + 17) % (pieces.length * materials.length),
      };
    }),
);

export const bySku: ReadonlyMap<string, Product> = new Map(products.map((one) => [one.sku, one]));

export const byRank: readonly Product[] = products.toSorted((a, b) => a.rank - b.rank);
