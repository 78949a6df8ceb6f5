/** What goes wrong with a request, as OpenAI's API says it. */

export interface ErrorBody {
  readonly error: { readonly message: string; readonly type: string; readonly param: string | null; readonly code: string | null };
}

type Status = 400 | 401 | 403 | 404 | 405 | 408 | 409 | 413 | 415 | 429 | 500 | 503;

/** A request that gets no answer, and why. */
export class ApiError extends Error {
  override readonly name = 'ApiError';

  /** @param retryAfter seconds after which the same request may succeed */
  constructor(
    readonly status: Status,
    message: string,
    readonly detail: { readonly param?: string; readonly code?: string; readonly retryAfter?: number } = {},
  ) {
    super(message);
  }

  get body(): ErrorBody {
    const { param = null, code = null } = this.detail;
    let type = this.status >= 500 ? 'server_error' : 'invalid_request_error';
    if (this.status === 429) type = 'rate_limit_error';
    return { error: { message: this.message, type, param, code } };
  }
}

/** A request that says something that cannot be done. */
export const badRequest = (message: string, param?: string, code?: string): ApiError =>
  new ApiError(400, message, { param, code });
