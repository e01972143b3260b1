/** What the crowds of users have said: the run goes on when all of them have. */
import type { FromProgram } from '../host/control.ts';
import type { NodeId } from '../host/host.ts';
import type { Plan } from '../host/plan.ts';

export class Crowds {
  readonly #crowds: readonly NodeId[];
  readonly #said = new Set<NodeId>();

  constructor({ nodes }: Plan) {
    this.#crowds = nodes.filter(({ kind }) => kind === 'users').map(({ id }) => id);
  }

  /** Something new is asked of them. */
  ask(): void {
    this.#said.clear();
  }

  /** True when everything was said: by all of them, or a failure by one. */
  hear(node: NodeId, message: FromProgram): boolean {
    this.#said.add(node);
    if (message.type === 'ready' && message.failure !== undefined) return true;
    return this.#crowds.every((crowd) => this.#said.has(crowd));
  }
}
