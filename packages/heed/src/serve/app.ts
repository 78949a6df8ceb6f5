/** The endpoints: OpenAI's chat completions, completions and models. */
import { type Context, Hono, type MiddlewareHandler } from 'hono';
import { bodyLimit } from 'hono/body-limit';

import { UserError, nearest } from '../errors.js';
import { constrain } from '../generate/grammar/constraint.js';
import type { Tokenizer } from '../text/tokenizer.js';
import { requireLocalName, requireToken } from './access.js';
import { createAdapterDesk } from './adapters.js';
import { type Log, answer } from './answer.js';
import type { FeedbackStore } from '../feedback/store.js';
import { ApiError, badRequest } from './api-error.js';
import { type Ask, fit, readChat, readCompletion } from './ask.js';
import { takeFeedback } from './feedback.js';
import type { Gate } from './gate.js';
import { type Calling, callingOf } from './tools.js';
import type { Voice, Voices } from './voices.js';

export interface AppOptions {
  readonly voices: Voices;
  readonly gate: Gate;
  /** Asked of every request but /health. Without one, only requests for names of this machine are answered. */
  readonly token?: string;
  /** Most bytes of a body. */
  readonly maxBody: number;
  /** Ends what is still running when the server stops. */
  readonly signal: AbortSignal;
  readonly log: Log;
  /** Where answers and feedback are kept. Default: nowhere. */
  readonly feedback?: FeedbackStore;
  /** The folder in which clients may have adapters loaded. Default: none are. */
  readonly adapters?: string;
}

/** Seconds since 1970 at which the models were loaded, as /v1/models says it. */
const now = (): number => Math.floor(Date.now() / 1000);

export function createApp({ voices, gate, token, maxBody, signal, log, feedback, adapters }: AppOptions): Hono {
  const app = new Hono();
  const created = now();
  const failure = (c: Context, error: ApiError): Response =>
    c.json(error.body, error.status, error.detail.retryAfter === undefined ? {} : { 'Retry-After': String(error.detail.retryAfter) });

  app.onError((error, c) => {
    if (error instanceof ApiError) return failure(c, error);
    // A UserError at this point is about what the request asked for.
    if (error instanceof UserError) return failure(c, badRequest(error.message));
    log(error.stack ?? error.message, 'failure');
    return failure(c, new ApiError(500, 'The server failed; its log says how.'));
  });
  app.notFound((c) =>
    failure(
      c,
      new ApiError(
        404,
        `There is no ${c.req.method} ${c.req.path}. There are GET /v1/models, POST /v1/chat/completions, POST /v1/completions and `
          + 'POST /v1/feedback.',
        { code: 'unknown_url' },
      ),
    ),
  );

  app.use(async (c, next) => {
    const started = performance.now();
    await next();
    log(`${c.req.method} ${c.req.path} ${c.res.status} ${Math.round(performance.now() - started)} ms`, 'request');
  });
  app.get('/health', (c) => c.json({ status: 'ok' }));
  for (const path of ['/v1/*', '/feedback']) app.use(path, token === undefined ? requireLocalName : requireToken(token));

  const entry = ({ name }: Voice): object => ({ id: name, object: 'model', created, owned_by: 'heed' });
  app.get('/v1/models', (c) => c.json({ object: 'list', data: [...voices.all.values()].map(entry) }));
  app.get('/v1/models/:name{.+}', (c) => c.json(entry(voiceOf(c.req.param('name')))));

  const limit = bodyLimit({
    maxSize: maxBody,
    onError: () => {
      throw new ApiError(413, `The body is larger than ${maxBody} bytes, the most that this server takes.`, { code: 'request_too_large' });
    },
  });
  const endpoint = (path: string, read: (json: unknown) => Ask): void => {
    app.post(path, async (c) => {
      const gone = c.req.raw.signal;
      // Before its body is read: what the queue has no room for is not read either.
      const place = gate.enter();
      try {
        const body = await bodyOf(c, limit);
        if (body === undefined) {
          place.leave();
          return new Response(null, { status: 499 });
        }
        const ask = read(parsed(body));
        const voice = voiceOf(ask.model);
        const calling = ask.tools && callingOf(ask.tools, voices.model.template);
        const prompts = ask.prompts(voices.model);
        const { requests, maxNewTokens } = fit(ask, prompts, voices.model.architecture.context);
        place.widen(requests.length * ask.n);
        return await answer(c, {
          ask: constrained(ask, calling, voices.model.tokenizer),
          calling,
          prompts,
          requests,
          maxNewTokens,
          voice,
          tokenizer: voices.model.tokenizer,
          gone,
          ending: signal,
          leave: place.leave,
          log,
          feedback,
        });
      } catch (error) {
        place.leave();
        throw error;
      }
    });
    postOnly(path);
  };
  const postOnly = (path: string): void => {
    app.all(path, (c) => { throw new ApiError(405, `${path} takes POST, not ${c.req.method}.`, { code: 'method_not_allowed' }); });
  };
  endpoint('/v1/chat/completions', readChat);
  endpoint('/v1/completions', readCompletion);
  const desk = createAdapterDesk(voices, adapters);
  for (const [path, take] of [['/v1/load_lora_adapter', desk.load], ['/v1/unload_lora_adapter', desk.unload]] as const) {
    app.post(path, async (c) => {
      const body = await bodyOf(c, limit);
      return body === undefined ? new Response(null, { status: 499 }) : c.text(await take(parsed(body)));
    });
    postOnly(path);
  }
  // As TensorZero has it; under /v1 for clients whose base address ends there.
  for (const path of ['/feedback', '/v1/feedback']) {
    app.post(path, async (c) => {
      const body = await bodyOf(c, limit);
      if (body === undefined) return new Response(null, { status: 499 });
      return c.json(await takeFeedback(feedback, parsed(body), c.req.header('idempotency-key')));
    });
    postOnly(path);
  }
  return app;

  function voiceOf(name: string): Voice {
    const voice = voices.all.get(name);
    if (voice !== undefined) return voice;
    const names = [...voices.all.keys()];
    const near = nearest(name, names);
    throw new ApiError(
      404,
      `The model ${JSON.stringify(name)} does not exist; this server has ` +
      `${names.join(', ')}.${near === undefined ? '' : ` Did you mean ${near}?`}`,
      { param: 'model', code: 'model_not_found' },
    );
  }
}

/** The request with what its answer may be: the texts of its format or of its calls, and what ends a call. */
function constrained(ask: Ask, calling: Calling | undefined, tokenizer: Tokenizer): Ask {
  const grammar = ask.grammar ?? calling?.grammar;
  const stop = [...(ask.sampling.stop ?? []), ...(calling?.stop ?? [])];
  return { ...ask, sampling: { ...ask.sampling, stop, ...(grammar === undefined ? {} : { constraint: constrain(tokenizer, grammar) }) } };
}

/**
 * The body, or undefined where the client went before it was all there. A web page cannot send this content type to another site
 * unasked, which keeps such pages out.
 */
async function bodyOf(c: Context<object, string>, limit: MiddlewareHandler): Promise<ArrayBuffer | undefined> {
  const type = c.req.header('content-type')?.split(';')[0]!.trim().toLowerCase();
  if (type !== 'application/json')
    throw new ApiError(415, `The body must be application/json${type === undefined ? '' : `, not ${type}`}.`, {
      code: 'unsupported_media_type',
    });
  try {
    await limit(c, async () => undefined);
    return await c.req.arrayBuffer();
  } catch (error) {
    if (error instanceof ApiError) throw error;
    return undefined;
  }
}

function parsed(bytes: ArrayBuffer): unknown {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw badRequest('The body is not UTF-8.', undefined, 'invalid_json');
  }
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch (error) {
    throw badRequest(`The body is not valid JSON: ${(error as Error).message}`, undefined, 'invalid_json');
  }
  // Written as JSON, half a character alone is an escape; the tokenizer would make another character of it.
  const half = /(?<!\\)(?:\\\\)*(\\ud[89a-f]..)/.exec(JSON.stringify(body))?.[1];
  if (half !== undefined) {
    throw badRequest(`The body has half a surrogate pair (${half}), which is no character.`, undefined, 'invalid_json');
  }
  return body;
}
