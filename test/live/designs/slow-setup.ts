/** Never ready for its load. */
import { service, system, users } from 'loadpath';

const api = service('api', { fetch: () => new Response('hi') });

export default system('slow-setup', {
  entry: api,
  workload: users({
    rate: '10/s',
    setup: async (user) => {
      console.log('preparing for ever');
      await user.sleep(600_000);
    },
  }),
});
