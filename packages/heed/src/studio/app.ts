/** The studio's endpoints and the files of its page. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Hono, type MiddlewareHandler } from 'hono';

import { UserError } from '../errors.js';
import { requireLocalName } from '../serve/access.js';
import { ApiError } from '../serve/api-error.js';
import type { Refusal } from './api.js';
import type { StudioContext } from './context.js';
import { doorOf, requireSameOrigin, safeHeaders } from './guard.js';
import { MOST_BYTES, limitOf } from './request.js';
import { ROUTES } from './routes.js';
import { MOST_UPLOAD, UPLOADS } from './uploads.js';

/** Where the built page lies. */
export const PAGE = fileURLToPath(new URL('../../dist/studio/page/', import.meta.url));

const FILES: Readonly<Record<string, readonly [file: string, type: string]>> = {
  '/': ['index.html', 'text/html; charset=utf-8'],
  '/app.js': ['app.js', 'text/javascript; charset=utf-8'],
  '/app.css': ['app.css', 'text/css; charset=utf-8'],
  '/icon.svg': ['icon.svg', 'image/svg+xml'],
};

export interface StudioOptions {
  /** Asked of every request but those for the page's files. Without one, only requests for names of this machine are answered. */
  readonly token?: string;
  /** Where the built page lies. Default: in this package. */
  readonly page?: string;
}

export function createStudio(context: StudioContext, { token, page = PAGE }: StudioOptions = {}): Hono {
  const app = new Hono();
  app.onError((error, c) => {
    const refusal = (status: ApiError['status'], message: string, more: Partial<Refusal['error']> = {}): Response =>
      c.json({ error: { message, ...more } } satisfies Refusal, status);
    if (error instanceof ApiError) return refusal(error.status, error.message, { code: error.detail.code });
    if (error instanceof UserError) return refusal(400, error.message, { hints: error.hints });
    context.log(error.stack ?? error.message);
    return refusal(500, 'The studio failed; its terminal says how.');
  });
  app.notFound((c) => c.json({ error: { message: `There is no ${c.req.method} ${c.req.path}.` } } satisfies Refusal, 404));

  app.use(safeHeaders);
  if (token === undefined) app.use(requireLocalName);
  for (const [path, [file, type]] of Object.entries(FILES)) {
    app.get(path, async (c) => c.body(await readFile(join(page, file)), 200, { 'Content-Type': type, 'Cache-Control': 'no-cache' }));
  }

  app.use('/api/*', requireSameOrigin);
  if (token !== undefined) {
    const door = doorOf(token);
    app.post('/api/session', limitOf(MOST_BYTES), door.enter);
    app.use('/api/*', door.require);
  }
  const [narrow, wide] = [limitOf(MOST_BYTES), limitOf(MOST_UPLOAD)];
  const limits: MiddlewareHandler = (c, next) => (c.req.path === UPLOADS ? wide : narrow)(c, next);
  app.use('/api/*', limits);
  for (const routes of ROUTES) app.route('/api', routes(context));
  return app;
}
