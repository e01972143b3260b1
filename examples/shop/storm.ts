/** The shop on a bad day: everything that README.md tells one by one, one after the other, in two minutes. */
import { design } from './design.ts';

export default design('shop-storm', [
  'kill reviews/0 at 10s, restart after 10s',
  'kill reviews/1 at 10s, restart after 10s',
  'slow calls to bank by 3s at 25s for 15s',
  'kill stock/1 at 45s, restart after 5s',
  'cut zone c from zone a at 55s for 10s',
  'cut zone c from zone b at 55s for 10s',
  'power off demand/0 at 70s for 5s',
  'surge 3x at 80s for 15s',
  'kill edge/0 at 100s, restart after 3s',
]);
