/**
 * The same as `child.ts`, for nodes that run without the design: they begin with the code of what their kind of node is made
 * of (`scripts/linked/start.cjs`), a third of what those with a design begin with.
 */
import './child.ts';
