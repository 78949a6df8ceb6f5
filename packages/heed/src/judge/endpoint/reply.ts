import { z } from 'zod';
import { looksLikeHtml } from './reason.js';
import { type Likely, ListedToken, likelyOf, textOf } from './tokens.js';

export type { Likely };

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
  /** All tokens with log-probabilities, those of thoughts included. */
  readonly places?: readonly Place[];
  /** Whether the server sent thoughts beside the text. */
  readonly thinks?: boolean;
}

/** A part of a content in parts. Parts of thoughts have other types. */
const part = z.looseObject({ type: z.string().optional(), text: z.string().optional(), refusal: z.string().optional() });
const content = z.object({ content: z.array(ListedToken.extend({ top_logprobs: z.array(ListedToken).nullish() })).nullish() });
/** Fields in which servers send thoughts: DeepSeek and vLLM, OpenRouter, Ollama. */
const thoughts = { reasoning_content: z.unknown().optional(), reasoning: z.unknown().optional(), thinking: z.unknown().optional() };
const chatChoice = z.object({
  message: z.object({ content: z.union([z.string(), z.array(part)]).nullish(), refusal: z.string().nullish(), ...thoughts }),
  finish_reason: z.string().nullish(),
  logprobs: content.nullish(),
});
const textChoice = z.object({
  text: z.string(),
  finish_reason: z.string().nullish(),
  logprobs: content.extend({
    tokens: z.array(z.string()).nullish(),
    token_logprobs: z.array(z.number().nullable()).nullish(),
    top_logprobs: z.array(z.record(z.string(), z.number()).nullish()).nullish(),
  }).nullish(),
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
  return parsed.data.choices.map((choice) => ('text' in choice ? saidInText(choice) : saidInChat(choice)));
}

function saidInChat({ message, finish_reason: finish = null, logprobs }: z.infer<typeof chatChoice>): Said {
  const { content: whole, reasoning_content: vllm, reasoning, thinking } = message;
  const parts = Array.isArray(whole) ? whole : [{ type: 'text', text: whole ?? '' }];
  const text = parts.filter(({ type = 'text' }) => SPEECH.includes(type)).map((one) => one.text ?? '').join('');
  const refusal = message.refusal ?? parts.find((one) => 'refusal' in one)?.refusal;
  const thinks = [vllm, reasoning, thinking].some((one) => one !== undefined && one !== null && one !== '')
    || parts.some(({ type = 'text' }) => /think|reason/.test(type));
  const places = placesOf(logprobs?.content);
  return { text, finish, refusal: refusal || filteredBy(finish), first: places?.[0]?.top, places, thinks };
}

function saidInText({ text, finish_reason: finish = null, logprobs }: z.infer<typeof textChoice>): Said {
  // Some servers write the log-probabilities of texts as they do those of chats.
  const places = placesOf(logprobs?.content);
  const refusal = filteredBy(finish);
  if (places !== undefined) return { text, finish, refusal, first: places[0]?.top, places };
  const [top, token, logprob] = [logprobs?.top_logprobs?.[0], logprobs?.tokens?.[0], logprobs?.token_logprobs?.[0]];
  const chosen = token === undefined || typeof logprob !== 'number' ? undefined : { token, logprob };
  const first = top ? likelyOf(chosen, Object.entries(top).map(([of, p]) => ({ token: of, logprob: p }))) : undefined;
  return { text, finish, refusal, first };
}

const SPEECH = ['text', 'output_text'];
const filteredBy = (finish: string | null): string | undefined =>
  (finish === 'content_filter' ? 'the content filter stopped it' : undefined);

// Some servers list the likeliest tokens without the one that was chosen.
const placesOf = (tokens: z.infer<typeof content>['content']): Place[] | undefined =>
  tokens?.map(({ top_logprobs: top, ...chosen }): Place => ({ token: textOf(chosen), top: likelyOf(chosen, top ?? []) }));
