/** Reading what a request says. */
import type { Context } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import type { z } from 'zod';

import { ApiError, badRequest } from '../serve/api-error.js';

/** Most bytes of a request, unless a route takes files. */
export const MOST_BYTES = 1 << 20;

/** The parameters of an address, checked. @throws ApiError 400 */
export const queryOf = <T>(c: Context, schema: z.ZodType<T>): T => checked(c.req.query(), schema);

/** A JSON body, checked. @throws ApiError 400, 415 */
export async function bodyOf<T>(c: Context, schema: z.ZodType<T>): Promise<T> {
  const type = c.req.header('content-type')?.split(';')[0]!.trim().toLowerCase();
  if (type !== 'application/json') throw new ApiError(415, 'The body must be application/json.', { code: 'unsupported_media_type' });
  let body: unknown;
  try {
    body = await c.req.json();
  } catch {
    throw badRequest('The body is not valid JSON.', undefined, 'invalid_json');
  }
  return checked(body, schema);
}

/** Refuses larger bodies. A route that takes files has a limit of its own. */
export const limitOf = (maxSize: number): ReturnType<typeof bodyLimit> => bodyLimit({
  maxSize,
  onError: () => {
    const message = `The body is larger than ${maxSize} bytes, the most that the studio takes here.`;
    throw new ApiError(413, message, { code: 'request_too_large' });
  },
});

function checked<T>(value: unknown, schema: z.ZodType<T>): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const place = issue!.path.map(String).join('.');
  throw badRequest(`${place === '' ? 'The request' : place}: ${issue!.message}`, place === '' ? undefined : place);
}
