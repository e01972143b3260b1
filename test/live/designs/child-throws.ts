/** Loads well where it is checked, and throws in the process of a node. */
import { service, system, users } from 'loadpath';

if (process.send) throw new Error('no licence for this machine');

const api = service('api', { fetch: () => new Response('hi') });

export default system('child-throws', { entry: api, workload: users({ rate: '10/s' }) });
