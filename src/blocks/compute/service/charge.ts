/** What a handler costs before it runs: work of its own (real when live), or a wait. */
import type { Host } from '../../../host/host.ts';
import { sampler } from '../../../kit/distribution.ts';
import type { Cost } from './config.ts';

/** Calls `then` when `times` requests' worth of cost has passed. */
export type Charge = (times: number, then: () => void) => void;

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
  return 'cpu' in cost
    ? (times, then) => host.cpu.charge(sum(times), then)
    : (times, then) => host.cpu.hold(sum(times), then);
}
