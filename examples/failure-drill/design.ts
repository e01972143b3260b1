/** Without any protection: see what one moment of overload does. */
import { drill } from './drill.ts';

export default drill('failure-drill');
