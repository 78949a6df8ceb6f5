/** Who may ask, and what a browser may do with the page. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { MiddlewareHandler } from 'hono';
import { getCookie, setCookie } from 'hono/cookie';

import { ApiError } from '../serve/api-error.js';

/** The page loads nothing from elsewhere, runs no script but its own, and shows in no frame. */
const POLICY = [
  "default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self' data:", "connect-src 'self'", "base-uri 'none'",
  "form-action 'none'", "frame-ancestors 'none'",
].join('; ');

/** The headers of every answer. A route may set a policy of its own. */
export const safeHeaders: MiddlewareHandler = async (c, next) => {
  await next();
  if (!c.res.headers.has('Content-Security-Policy')) c.res.headers.set('Content-Security-Policy', POLICY);
  c.res.headers.set('X-Content-Type-Options', 'nosniff');
  c.res.headers.set('Referrer-Policy', 'no-referrer');
  c.res.headers.set('Cross-Origin-Resource-Policy', 'same-origin');
  if (!c.res.headers.has('Cache-Control')) c.res.headers.set('Cache-Control', 'no-store');
};

/**
 * Refuses what another site's page sends. A browser says where a request comes from: `Origin` where something may change, `Sec-Fetch-Site`
 * with every request. A program that is no browser sends neither.
 */
export const requireSameOrigin: MiddlewareHandler = async (c, next) => {
  const origin = c.req.header('origin');
  const own = origin === undefined || (URL.canParse(origin) && new URL(origin).host === c.req.header('host'));
  const site = c.req.header('sec-fetch-site') ?? 'none';
  if (!own || !['same-origin', 'none'].includes(site))
    throw new ApiError(403, 'Another page may not ask the studio.', { code: 'forbidden_origin' });
  await next();
};

/** How long a browser that gave the token is known, in seconds. */
const SESSION = 30 * 24 * 60 * 60;
const COOKIE = 'heed_studio';

/** The door of a studio with a token. */
export interface Door {
  /** Lets in who gave the token: by a cookie of `enter`, or with `Authorization: Bearer TOKEN`. */
  readonly require: MiddlewareHandler;
  /** `POST { token }`: the browser gets a cookie that stands for the token, and from which nobody learns it. */
  readonly enter: MiddlewareHandler;
}

export function doorOf(token: string): Door {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  const pass = digest(`heed studio ${token}`).toString('hex');
  // Digests have one length, so that comparing takes as long whatever was given.
  const same = (given: string, wanted: string): boolean => timingSafeEqual(digest(given), digest(wanted));
  return {
    async require(c, next) {
      const bearer = /^Bearer\s+(.+)$/i.exec(c.req.header('authorization') ?? '')?.[1];
      const known = bearer === undefined ? same(getCookie(c, COOKIE) ?? '', pass) : same(bearer, token);
      if (!known) throw new ApiError(401, 'This studio asks for its token.', { code: 'token' });
      await next();
    },
    async enter(c) {
      const given = (await c.req.json<{ token?: unknown }>().catch(() => undefined))?.token;
      if (typeof given !== 'string' || !same(given, token))
        throw new ApiError(401, 'The token is not the one of this studio.', { code: 'token' });
      const secure = new URL(c.req.url).protocol === 'https:';
      setCookie(c, COOKIE, pass, { httpOnly: true, sameSite: 'Strict', path: '/', maxAge: SESSION, secure });
      return c.json({ ok: true });
    },
  };
}
