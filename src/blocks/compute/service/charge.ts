/** What a handler costs before it runs: work of its own (real when live), or a wait. */
import type { Host, Micros } from '../../../host/host.ts';
import { sampler } from '../../../kit/distribution.ts';
import type { Cost } from './config.ts';

/** Calls `then` when `times` requests' worth of cost has passed; it is told how much that was. */
export type Charge = (times: number, then: (costUs: Micros) => void) => void;

/** `purpose` names its stream of chance. Undefined when it costs nothing. */
export function charging(host: Host, cost: Cost | null, purpose: string): Charge | undefined {
  if (!cost) return undefined;
  const draw = sampler('cpu' in cost ? cost.cpu : cost.wait);
  const random = host.random.fork(purpose);
  const sum = (times: number): number => {
    let costUs = 0;
    for (let i = 0; i < times; i++) costUs += draw(random);
    return costUs;
  };
  const pass: Host['cpu']['hold'] =
    'cpu' in cost
      ? (costUs, done) => host.cpu.charge(costUs, done)
      : (costUs, done) => host.cpu.hold(costUs, done);
  return (times, then) => {
    const costUs = sum(times);
    pass(costUs, () => then(costUs));
  };
}
