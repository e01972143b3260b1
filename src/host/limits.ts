/** How much a caller may take, asked of somebody else: what the client half of a limiter offers programs of its node. */
import type { Micros } from './host.ts';

export interface LimitAnswer {
  readonly allowed: boolean;
  /** How long to stay away when refused; infinite when no wait helps. */
  readonly retryAfterUs: Micros;
  /** The most that the key may take now, as far as is known. */
  readonly remaining: number;
  /** `policy`: no limiter could be asked, `whenUnreachable` decided. */
  readonly by: 'limiter' | 'policy';
}

export interface LimitsApi {
  /** Always answers, and perhaps at once. Taken is from all limits of the limiter, or from none. */
  take(
    key: string,
    cost: number,
    deadlineAt: Micros | undefined,
    done: (answer: LimitAnswer) => void,
  ): void;
}
