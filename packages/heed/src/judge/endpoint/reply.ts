import { z } from 'zod';
import { looksLikeHtml } from './reason.js';

/** One of the likeliest tokens at a place. */
export interface Likely {
  readonly token: string;
  readonly logprob: number;
}

/** A token that was said, and the likeliest ones in its place. */
export interface Place {
  readonly token: string;
  readonly top: readonly Likely[];
}

/** One answer of a reply. */
export interface Said {
  readonly text: string;
  readonly finish: string | null;
  /** Why the model would not answer. */
  readonly refusal?: string;
  /** The likeliest first tokens; undefined where the server gave none. */
  readonly first?: readonly Likely[];
  /** All tokens, of chats with log-probabilities. */
  readonly places?: readonly Place[];
}

const token = z.object({ token: z.string(), logprob: z.number() });
const chatChoice = z.object({
  message: z.object({ content: z.string().nullish(), refusal: z.string().nullish() }),
  finish_reason: z.string().nullish(),
  logprobs: z.object({ content: z.array(token.extend({ top_logprobs: z.array(token).nullish() })).nullish() }).nullish(),
});
const textChoice = z.object({
  text: z.string(),
  finish_reason: z.string().nullish(),
  logprobs: z.object({ top_logprobs: z.array(z.record(z.string(), z.number()).nullish()).nullish() }).nullish(),
});
const chatReply = z.object({ choices: z.array(chatChoice).min(1) });
const textReply = z.object({ choices: z.array(textChoice).min(1) });

/** The answers of a reply, or what is wrong with it, in words. */
export function readReply(json: object, api: 'chat' | 'completions'): readonly Said[] | string {
  const { error } = json as { error?: { message?: unknown } | string };
  if (error !== undefined && error !== null) {
    const message = typeof error === 'string' ? error : error.message;
    return `the reply is an error: ${typeof message === 'string' && !looksLikeHtml(message) ? message : JSON.stringify(error)}`;
  }
  const parsed = api === 'chat' ? chatReply.safeParse(json) : textReply.safeParse(json);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    return `the reply lacks what it should have: ${issue!.path.join('.')}: ${issue!.message}`;
  }
  return parsed.data.choices.map((choice): Said => {
    const finish = choice.finish_reason ?? null;
    if ('text' in choice) {
      const first = choice.logprobs?.top_logprobs?.[0];
      return {
        text: choice.text,
        finish,
        first: first ? Object.entries(first).map(([text, logprob]) => ({ token: text, logprob })) : undefined,
      };
    }
    const { content, refusal } = choice.message;
    const places = choice.logprobs?.content?.map(({ token: chosen, logprob, top_logprobs }): Place => {
      // Some servers list the likeliest tokens without the one that was chosen.
      const top = top_logprobs ?? [];
      return { token: chosen, top: top.some((one) => one.token === chosen) ? top : [...top, { token: chosen, logprob }] };
    });
    const filtered = finish === 'content_filter' ? 'the content filter stopped it' : undefined;
    return { text: content ?? '', finish, refusal: refusal || filtered, first: places?.[0]?.top, places };
  });
}
