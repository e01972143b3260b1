/**
 * Who a sidecar is, in writing: a name after SPIFFE's, the node that may use it, and until when, signed by
 * the control plane.
 *
 *   spiffe://net/orders orders/0 1764360000000000 <signature, 128 hex digits>
 *
 * It is bound to a node, and worlds vouch for who sent a message: copied by another, it proves nothing.
 */
import type { Micros, NodeId } from '../../../host/host.ts';

/** What a request between sidecars carries. Neither services nor users see it or can send it. */
export const identityHeader = 'x-mesh-identity';

export interface Claims {
  /** `spiffe://<mesh>/<service>`. */
  readonly name: string;
  readonly node: NodeId;
  /** By the wall clock. */
  readonly until: Micros;
}

export function nameOf(mesh: string, service: string): string {
  return `spiffe://${mesh}/${service}`;
}

/** Undefined for what is of another mesh. */
export function serviceIn(mesh: string, name: string): string | undefined {
  const root = nameOf(mesh, '');
  return name.startsWith(root) ? name.slice(root.length) : undefined;
}

/** What is signed. */
export function statement({ name, node, until }: Claims): Uint8Array {
  return encoder.encode(`${name} ${node} ${until}`);
}

export function written(claims: Claims, signature: Uint8Array): string {
  const { name, node, until } = claims;
  const digits = [...signature].map((byte) => byte.toString(16).padStart(2, '0'));
  return `${name} ${node} ${until} ${digits.join('')}`;
}

/** Undefined when it is not even one. */
export function read(
  text: string,
): { readonly claims: Claims; readonly signature: Uint8Array } | undefined {
  const found = /^(spiffe:\/\/\S{1,200}) (\S{1,100}) (\d{1,16}) ([0-9a-f]{128})$/.exec(text);
  if (!found) return undefined;
  const [, name = '', node = '', until = '', digits = ''] = found;
  const signature = Uint8Array.from({ length: 64 }, (_, index) =>
    Number.parseInt(digits.slice(2 * index, 2 * index + 2), 16),
  );
  return { claims: { name, node, until: Number(until) }, signature };
}

const encoder = new TextEncoder();
