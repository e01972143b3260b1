/** Other people's services, as they behave in the simulator, and live unless an address is given. */
import { Hono } from 'hono';

/** What was charged, by the name of the charge: a provider remembers it, and so does this one while it runs. */
const charges = new Map<string, 201 | 402>();
const declinedOneIn = 25;

export const bank = new Hono().put('/charges/:name', (c) => {
  const name = c.req.param('name');
  const known = charges.get(name);
  const status = known ?? (checksum(name) % declinedOneIn === 0 ? 402 : 201);
  charges.set(name, status);
  return c.json({ charged: status === 201 }, status);
});

export const mail = new Hono().put('/messages/:name', (c) => c.body(null, 202));

/** Some orders are declined, and always the same ones. */
function checksum(text: string): number {
  let sum = 0;
  for (const letter of text) sum = (Math.imul(sum, 31) + letter.charCodeAt(0)) >>> 0;
  return sum;
}
