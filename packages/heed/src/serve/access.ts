/** Access: open to this machine, and to others by the token. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { MiddlewareHandler } from 'hono';

import { ApiError } from './api-error.js';

/** Whether only this machine can reach an address. */
export const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host);

/** Asks for `Authorization: Bearer <token>`. */
export function requireToken(token: string): MiddlewareHandler {
  // Digests have one length, so that comparing takes as long whatever was given.
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  const wanted = digest(token);
  return async (c, next) => {
    const given = /^Bearer\s+(.+)$/i.exec(c.req.header('authorization') ?? '')?.[1];
    if (given === undefined)
      throw new ApiError(401, 'This server asks for a token: Authorization: Bearer TOKEN.', { code: 'invalid_api_key' });
    if (!timingSafeEqual(digest(given), wanted))
      throw new ApiError(401, 'The token is not the one of this server.', { code: 'invalid_api_key' });
    await next();
  };
}

/**
 * A web page in a browser on this machine can reach loopback too, under a name of its own that resolves to it (DNS rebinding).
 * Requests for such names are refused.
 */
export const requireLocalName: MiddlewareHandler = async (c, next) => {
  const host = c.req.header('host');
  const address = `http://${host}`;
  const isLocal = host === undefined || (URL.canParse(address) && isLoopback(new URL(address).hostname));
  if (!isLocal)
    throw new ApiError(403, 'This server answers to localhost and 127.0.0.1 only.', { code: 'forbidden_host' });
  await next();
};
