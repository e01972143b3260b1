/** `limiter('limits', { limit: '10/min', also: ['100/h'], mode: 'lock' })`. See README.md. */
import type { Declaration } from '../../../host/declaration.ts';
import { configure, type OptionsOf } from '../../../kit/config.ts';
import type { RateText } from '../../../kit/units.ts';
import { limiterBlock } from './block.ts';
import { furtherLimits, knobs, type LimiterConfig } from './config.ts';
import type { LimiterHandle } from './handle.ts';

export type { LimiterHandle, TakeAnswer } from './handle.ts';
export { limiterBlock };

export interface LimiterOptions extends OptionsOf<typeof knobs> {
  /** Further limits that hold besides `limit`: a unit is taken from all of them or from none. */
  readonly also?: readonly RateText[] | undefined;
}

export interface Limiter extends Declaration<LimiterHandle> {
  readonly kind: 'limiter';
}

export function limiter(name: string, options: LimiterOptions = {}): Limiter {
  const { also = [], ...rest } = options;
  const { config, problems } = configure(name, knobs, rest, ['also']);
  const further = furtherLimits(name, also);
  const own: LimiterConfig = { ...config, limits: [config.limit, ...further.limits] };
  return {
    kind: 'limiter',
    name,
    block: limiterBlock,
    config: own,
    problems: [...problems, ...further.problems],
    binds: {},
  };
}
