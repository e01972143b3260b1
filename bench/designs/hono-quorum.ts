import { honoStore } from './hono-store.ts';

export const faults = [
  'lose 1% between api and store at 1s for 60s',
  'kill store/1 at 2s, restart after 2s',
  'kill api/2 at 3s, restart after 1s',
  'kill store/0 at 6s, restart after 2s',
];

export default honoStore({ name: 'hono-quorum', replicas: 3, door: false, faults });
