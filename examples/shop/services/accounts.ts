/**
 * Who may sign in, and the token that says so for an hour. The people are made up: `customer-7` has the
 * password `secret-7`.
 */
import { Hono } from 'hono';

export const issuer = 'shop';
export const secret = process.env.SHOP_SECRET ?? 'only for trying it out, and at least 32 bytes';
const lifeSeconds = 3_600;
const utf8 = new TextEncoder();

export const accounts = new Hono().post('/login', async (c) => {
  const { name, password }: { name?: unknown; password?: unknown } = await c.req
    .json()
    .catch(() => ({}));
  const number = typeof name === 'string' ? /^customer-(\d{1,6})$/.exec(name)?.[1] : undefined;
  if (number === undefined || password !== `secret-${number}`) {
    return c.json({ error: 'name or password is wrong' }, 401);
  }
  const now = Math.floor(Date.now() / 1_000);
  const claims = { iss: issuer, aud: issuer, sub: name, tier: 'customer', exp: now + lifeSeconds };
  return c.json({ token: await signed(claims) });
});

/** A JSON Web Token with HS256 (RFC 7519). */
async function signed(claims: object): Promise<string> {
  const text = [{ alg: 'HS256', typ: 'JWT' }, claims].map((part) =>
    base64url(JSON.stringify(part)),
  );
  const rule = { name: 'HMAC', hash: 'SHA-256' };
  const key = await crypto.subtle.importKey('raw', utf8.encode(secret), rule, false, ['sign']);
  const mac = await crypto.subtle.sign('HMAC', key, utf8.encode(text.join('.')));
  return [...text, base64url(new Uint8Array(mac))].join('.');
}

function base64url(bytes: string | Uint8Array): string {
  return Buffer.from(bytes).toString('base64url');
}
