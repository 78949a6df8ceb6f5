/** Answers as the two endpoints write them, whole and in pieces. */
import { randomUUID } from 'node:crypto';

import type { Completion, Token } from '../generate/request.js';
import type { Tokenizer } from '../text/tokenizer.js';
import type { Ask, Prompt } from './ask.js';
import { type AnswerMessage, type Calling, answered } from './tools.js';
import { type ScoredToken, chatLogprobs, createTextLogprobsWriter } from './logprobs.js';

export interface Usage {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly total_tokens: number;
}

/** Writes the answers to one request. A choice is a prompt's sample: `index` counts them through. */
export interface Replies {
  /** The reply's id, the same in all its pieces. */
  readonly id: string;
  /** The whole answer. `scores`: each prompt's tokens after the first, where the prompts are echoed. */
  whole(completions: readonly Completion[], usage: Usage, scores: readonly (readonly Token[])[]): object;
  /** What a stream begins with for a choice, if with anything. */
  first(index: number): object | undefined;
  delta(index: number, text: string, tokens: readonly Token[]): object;
  /** The piece of a stream that holds a whole answer, with its calls. */
  held(index: number, completion: Completion): object;
  last(index: number, completion: Completion): object;
  usage(usage: Usage): object;
}

const tokensOf = ({ ids, logprobs, tops }: Completion): Token[] =>
  ids.map((id, i) => ({ id, logprob: logprobs[i]!, ...(tops === undefined ? {} : { top: tops[i]! }) }));

export interface RepliesSetup {
  readonly tokenizer: Tokenizer;
  readonly model: string;
  readonly fingerprint: string;
  /** How answers call functions, where they may. */
  readonly calling?: Calling | undefined;
}

export function createReplies(
  ask: Ask,
  prompts: readonly Prompt[],
  { tokenizer, model, fingerprint, calling }: RepliesSetup,
): Replies {
  const chat = ask.kind === 'chat';
  const about = {
    id: `${chat ? 'chatcmpl' : 'cmpl'}-${randomUUID()}`,
    created: Math.floor(Date.now() / 1000),
    model,
    system_fingerprint: fingerprint,
  };
  const top = (ask.sampling.top ?? 0) > 0;
  const writers = new Map<number, ReturnType<typeof createTextLogprobsWriter>>();
  const writerOf = (index: number): ReturnType<typeof createTextLogprobsWriter> => {
    const writer = writers.get(index) ?? createTextLogprobsWriter(tokenizer, prompts[Math.floor(index / ask.n)]!.continues);
    writers.set(index, writer);
    return writer;
  };
  const piece = (choices: readonly object[], usage: Usage | null = null): object => ({
    ...about,
    object: chat ? 'chat.completion.chunk' : 'text_completion',
    choices,
    ...(ask.usage ? { usage } : {}),
  });

  const key = randomUUID().replaceAll('-', '').slice(0, 12);
  /** The message of an answer, and why it ended. */
  const answerOf = (completion: Completion, index: number): { readonly message: AnswerMessage; readonly finish: string } => {
    if (calling === undefined) {
      return { message: { role: 'assistant', content: completion.text, refusal: null }, finish: completion.finish };
    }
    const { message, calls } = answered(calling, completion.text, `${key}${index}`);
    return { message, finish: calls ? 'tool_calls' : completion.finish };
  };
  const chatTokens = (completion: Completion): object | null =>
    (ask.logprobs ? chatLogprobs(tokenizer, tokensOf(completion)) : null);
  const wholeChat = (completion: Completion, index: number): object => {
    const { message, finish } = answerOf(completion, index);
    return { index, message, logprobs: chatTokens(completion), finish_reason: finish };
  };
  const wholeText = (completion: Completion, index: number, scores: readonly Token[] | undefined): object => {
    const { ids, echo, continues } = prompts[completion.row]!;
    const before: readonly ScoredToken[] = scores === undefined ? [] : [{ id: ids[0]!, logprob: null }, ...scores];
    return {
      index,
      text: (echo ?? '') + completion.text,
      logprobs: ask.logprobs
        ? createTextLogprobsWriter(tokenizer, continues, { text: echo ?? '', ids }).write([...before, ...tokensOf(completion)], top)
        : null,
      finish_reason: completion.finish,
      ...(ask.tokenIds === true ? { token_ids: completion.ids, prompt_token_ids: ids } : {}),
    };
  };
  return {
    id: about.id,
    whole: (completions, usage, scores) => ({
      ...about,
      object: chat ? 'chat.completion' : 'text_completion',
      choices: completions.map((completion, index) =>
        chat ? wholeChat(completion, index) : wholeText(completion, index, scores[completion.row]),
      ),
      usage,
    }),
    first: (index) =>
      chat ? piece([{ index, delta: { role: 'assistant', content: '' }, logprobs: null, finish_reason: null }]) : undefined,
    delta(index, text, tokens) {
      if (chat)
        return piece([
          { index, delta: { content: text }, logprobs: ask.logprobs ? chatLogprobs(tokenizer, tokens) : null, finish_reason: null },
        ]);
      return piece([{ index, text, logprobs: ask.logprobs ? writerOf(index).write(tokens, top) : null, finish_reason: null }]);
    },
    held(index, completion) {
      const { content, tool_calls: calls } = answerOf(completion, index).message;
      const delta = { content, ...(calls === undefined ? {} : { tool_calls: calls.map((call, i) => ({ index: i, ...call })) }) };
      return piece([{ index, delta, logprobs: chatTokens(completion), finish_reason: null }]);
    },
    last: (index, completion) =>
      piece([{ index, ...(chat ? { delta: {} } : { text: '' }), logprobs: null, finish_reason: answerOf(completion, index).finish }]),
    usage: (usage) => piece([], usage),
  };
}

/** A prompt counts once, however many answers it has; a text stopped counts the tokens that were kept. */
export function usageOf(prompts: readonly Prompt[], completions: readonly Completion[]): Usage {
  const prompt = prompts.reduce((n, { ids }) => n + ids.length, 0);
  const completion = completions.reduce((n, { ids }) => n + ids.length, 0);
  return { prompt_tokens: prompt, completion_tokens: completion, total_tokens: prompt + completion };
}
