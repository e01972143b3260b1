/** Tells customers how their orders ended. A mail may be handed over twice, under one name: it is sent once. */
import { type Batch, type Fetcher, Unavailable } from 'loadpath';
import type { News } from '../blocks.ts';

const words = {
  paid: 'is paid, and packed now',
  declined: 'could not be paid: your bank said no',
  'sold out': 'was sold before we got to your order',
} as const;

export async function notify(batch: Batch<News>, env: { readonly mail: Fetcher }): Promise<void> {
  for (const { value } of batch) {
    if (value.type !== 'ended') continue;
    const { order, outcome } = value;
    const reply = await env.mail.fetch(`/messages/${order.id}`, {
      method: 'PUT',
      body: JSON.stringify({ to: order.user, text: `${order.sku} ${words[outcome.state]}.` }),
    });
    if (!reply.ok) throw new Unavailable('mail', 'send', `status ${reply.status}`, false);
  }
}
