/** The same with a retry budget, a breaker and shedding. */
import { drill, everything } from './drill.ts';

export default drill('failure-drill-guarded', everything);
