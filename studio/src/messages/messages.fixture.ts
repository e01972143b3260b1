/** A write to three replicas, one of them cut off, repeated; and a late answer. */
import type { MessageRow } from 'loadpath/studio';

const t = 20_410_000;
const order = ['api/0', 'api/1', 'links/0', 'links/1', 'links/2'] as const;

export const nodes: readonly string[] = ['users', 'edge/0', ...order];

export const messages: readonly MessageRow[] = Array.from({ length: 12 }, (_, i) => i).flatMap(
  (i) => {
    const at = t + i * 3_700;
    const from = order[i % 2]!;
    const key = `k${(i * 7_919).toString(36)}`;
    const base = { block: 'links', late: false, fate: 'delivered' } as const;
    const asks: MessageRow[] = order.slice(2).map((to, j) => {
      const isCut = to === 'links/1' && i > 3 && i < 9;
      return {
        ...base,
        from,
        to,
        what: `get ${key} #${i}`,
        sentAt: at,
        arrivedAt: isCut ? null : at + 260 + j * 140 + i * 23,
        fate: isCut
          ? i % 2 === 0
            ? 'lost'
            : 'refused'
          : i === 2 && j === 2
            ? 'twice'
            : 'delivered',
      };
    });
    const answers: MessageRow[] = asks
      .filter((ask) => ask.arrivedAt !== null)
      .map((ask, j) => ({
        ...base,
        block: 'api',
        from: ask.to,
        to: from,
        what: `value ${key} #${i}`,
        sentAt: ask.arrivedAt! + 90,
        arrivedAt: ask.arrivedAt! + 90 + 250 + (i === 9 && j === 1 ? 3_900 : 60 * j),
        late: i === 9 && j === 1,
      }));
    return [...asks, ...answers];
  },
);
