import { honoStore } from './hono-store.ts';

export default honoStore({ name: 'hono-live', replicas: 3, instances: 2, door: true });
