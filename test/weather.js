export function weather(random, options) {
  const { kinds, nodes, count, untilUs, lastsMaxUs = 2_000_000 } = options;
  const one = () => ({ node: random.pick(nodes) });
  const all = { all: true };
  return Array.from({ length: kinds.length === 0 ? 0 : count }, () => {
    const timed = { atUs: random.below(untilUs), forUs: random.between(20_000, lastsMaxUs) };
    const kind = random.pick(kinds);
    switch (kind) {
      case 'slow':
        return { ...timed, do: kind, target: one(), factor: random.between(2, 50) };
      case 'cut':
        return { ...timed, do: kind, from: one(), to: one(), oneWay: random.chance(0.5) };
      case 'lose':
      case 'duplicate':
        return { ...timed, do: kind, from: all, to: all, ratio: random.next() * 0.5 };
      case 'delay':
        return { ...timed, do: kind, from: one(), to: one(), byUs: random.between(1_000, 400_000) };
      case 'skew': {
        const byUs = random.between(-5_000_000, 5_000_000);
        return { ...timed, do: kind, target: one(), byUs, driftPpm: random.between(-500, 500) };
      }
      default:
        return { ...timed, do: kind, target: one() };
    }
  });
}
export const everyFault = [
  'kill',
  'power-off',
  'restart',
  'pause',
  'slow',
  'cut',
  'lose',
  'duplicate',
  'delay',
  'skew',
  'fill-disk',
  'fail-disk',
];
//# sourceMappingURL=weather.js.map
