import { honoStore } from './hono-store.ts';

export default honoStore({ name: 'hono-one-replica', replicas: 1, door: false });
