/** One try of one request at one server. */
import OpenAI from 'openai';
import { wholeFetch } from './body.js';
import { NOTHING, type Tokens } from './budget.js';
import { type Reason, looksLikeHtml, reasonOf } from './reason.js';

export interface Replied { readonly json: object; readonly took: Tokens }
export interface Failed { readonly reason: Reason; readonly took: Tokens }

/** What servers of this interface are asked: for answers, or to take an adapter (as vLLM names it), which they answer in words. */
export type Path = '/chat/completions' | '/completions' | AdapterPath;
export type AdapterPath = '/load_lora_adapter' | '/unload_lora_adapter';

/** Sends a body once. `most` is what the request may take: it counts as spent where the reply does not say, or was lost on the way. */
export type Send = (path: Path, body: object, most: Tokens, signal: AbortSignal) => Promise<Replied | Failed>;

/** @param timeout seconds that a request may take */
export function createSender(url: string, timeout: number, key: string | undefined): Send {
  // The empty fields are set too: otherwise the client would read its own environment variables.
  const openai = new OpenAI({
    baseURL: url,
    apiKey: key ?? 'none',
    adminAPIKey: null,
    organization: null,
    project: null,
    maxRetries: 0,
    timeout: Math.ceil(1000 * timeout),
    fetch: wholeFetch,
    logLevel: 'off',
  });
  return async (path, body, most, signal) => {
    try {
      const reply = await openai.post<unknown>(path, { body, signal });
      const json = path === '/load_lora_adapter' || path === '/unload_lora_adapter' ? { said: reply } : objectOf(reply);
      return { json, took: usageOf(json) ?? most };
    } catch (error) {
      const reason = error instanceof NotJson ? error.reason : reasonOf(error, timeout, openai.baseURL);
      return { reason, took: reason.lost === true ? most : NOTHING };
    }
  };
}

class NotJson extends Error {
  constructor(readonly reason: Reason) {
    super(reason.detail);
  }
}

/** The reply as an object. Some servers send JSON without saying so; the client then gives text. */
function objectOf(reply: unknown): object {
  const bad = (detail: string, again: boolean): never => {
    throw new NotJson({ failure: 'bad-response', detail, again, lost: true });
  };
  if (typeof reply === 'string') {
    if (looksLikeHtml(reply)) bad('the reply is HTML and not JSON: is the url the one that ends with /v1?', false);
    try {
      return objectOf(JSON.parse(reply) as unknown);
    } catch (error) {
      if (error instanceof NotJson) throw error;
      bad(`the reply is not JSON: ${JSON.stringify(reply.slice(0, 80))}`, true);
    }
  }
  if (typeof reply !== 'object' || reply === null || Array.isArray(reply))
    return bad(`the reply is ${JSON.stringify(reply)?.slice(0, 80) ?? 'empty'} and not an object`, true);
  return reply;
}

function usageOf(json: object): Tokens | undefined {
  const { prompt_tokens: prompt, completion_tokens: completion } = ((json as { usage?: unknown }).usage ?? {}) as Record<string, unknown>;
  return typeof prompt === 'number' && prompt >= 0
    ? { prompt, completion: typeof completion === 'number' && completion >= 0 ? completion : 0 }
    : undefined;
}
