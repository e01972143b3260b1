/** A message in one line, in the words of the block whose port it goes to or comes from. */
import { control } from '../host/control.ts';
import type { Declaration } from '../host/declaration.ts';
import type { Address, Message } from '../host/host.ts';

export type Describe = (from: Address, to: Address, message: Message) => string;

export function describer(declarations: readonly Declaration[]): Describe {
  const byName = new Map(declarations.map((declaration) => [declaration.name, declaration]));
  const blockOf = ({ node, port }: Address): Declaration | undefined =>
    byName.get(port) ?? byName.get(port.split('.')[0]!) ?? byName.get(node.split('/')[0]!);
  return (from, to, message) => {
    if (from.node === control.node) return message.type;
    const block = blockOf(to)?.block ?? blockOf(from)?.block;
    return block?.describe(message) ?? message.type;
  };
}
