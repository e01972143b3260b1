import { expect, test } from 'vitest';
import { system } from '../../../design/system.ts';
import { simulate } from '../../../run/simulate.ts';
import { gateway } from '../../edge/gateway/index.ts';
import { users } from '../../workload/users/index.ts';
import { service } from './index.ts';

/** A service that sleeps until somebody tells it to stop, and says why it stopped. */
function sleepers(timeout: `${number}ms`, heard: string[]) {
  const api = service('api', {
    async fetch(request) {
      const { signal } = request;
      await new Promise<void>((resolve) => {
        signal.addEventListener('abort', () => resolve());
        setTimeout(resolve, 200);
      });
      heard.push(signal.aborted ? String(signal.reason.name) : 'slept');
      return new Response('awake');
    },
  });
  return system('sleepers', {
    entry: gateway('edge', { routes: { '/': api }, policy: { timeout } }),
    workload: users({
      rate: '20/s',
      async act(user) {
        await user.fetch('/');
      },
    }),
  });
}

test('who is no longer waited for hears of it through the signal of the request', async () => {
  const heard: string[] = [];
  await simulate(sleepers('50ms', heard), { for: '2s' });
  expect(heard.length).toBeGreaterThan(20);
  expect(new Set(heard)).toEqual(new Set(['AbortError']));
});

test('who is waited for does not', async () => {
  const heard: string[] = [];
  await simulate(sleepers('500ms', heard), { for: '2s' });
  expect(new Set(heard)).toEqual(new Set(['slept']));
});

test('a caller that dies is not waited for either', async () => {
  const heard: string[] = [];
  await simulate(sleepers('500ms', heard), { for: '2s', faults: ['kill edge/0 at 1s for 500ms'] });
  expect(heard).toContain('AbortError');
});
