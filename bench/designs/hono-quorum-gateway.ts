import { faults } from './hono-quorum.ts';
import { honoStore } from './hono-store.ts';

export default honoStore({ name: 'hono-quorum-gateway', replicas: 3, door: true, faults });
