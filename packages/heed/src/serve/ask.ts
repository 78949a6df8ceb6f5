/** Requests as the generator understands them. */
import { randomInt } from 'node:crypto';
import { z } from 'zod';

import { UserError } from '../errors.js';
import { OBJECT } from '../generate/grammar/json.js';
import { schemaRule } from '../generate/grammar/json-schema.js';
import type { Rule } from '../generate/grammar/rule.js';
import type { GenerationRequest } from '../generate/request.js';
import type { SamplingOptions } from '../generate/options.js';
import type { Model } from '../model/load.js';
import { begunTurn } from '../text/begun-turn.js';
import type { Message } from '../text/template.js';
import type { Tokenizer } from '../text/tokenizer.js';
import { badRequest } from './api-error.js';
import { SHARED, parseBody, samplingOf } from './fields.js';
import { ChatMessage, messageOf } from './messages.js';
import { Tool, ToolChoice, type Tools, toolsOf, withTools } from './tools.js';

/** What a request asks of the model that it names. */
export interface Ask {
  readonly kind: 'chat' | 'completion';
  readonly model: string;
  readonly n: number;
  readonly stream: boolean;
  /** Whether a stream ends with what it cost. */
  readonly usage: boolean;
  /** Report the log-probability of each token. How many of the likeliest with it says `sampling.top`. */
  readonly logprobs: boolean;
  readonly sampling: Omit<SamplingOptions, 'maxNewTokens'>;
  /** Report the tokens of prompts and answers by their ids. */
  readonly tokenIds?: boolean;
  /** Most tokens of an answer; undefined: what the context has room for. 0 only with `echo`. */
  readonly maxTokens?: number;
  /** The field that `maxTokens` came from. */
  readonly maxTokensField: string;
  /** The texts that an answer may be. Default: any. */
  readonly grammar?: Rule;
  /** The functions that an answer may call. */
  readonly tools?: Tools;
  /** There for chats: a completion's prompt is text that was put together elsewhere. */
  readonly kept?: Kept;
  /** The prompts' tokens. Throws an ApiError where the template or the tokenizer refuses them. */
  prompts(model: Model): readonly Prompt[];
}

/** What is kept of a chat that somebody may give feedback on. */
export interface Kept {
  readonly prompt: readonly Message[];
  /** What the request began the answer with. */
  readonly begun: string;
  /** The request's `metadata`; `episode_id` names the conversation. */
  readonly metadata: Readonly<Record<string, string>>;
}

export interface Prompt {
  readonly ids: readonly number[];
  /** Text to begin the answer with, where the request wants its prompt back. */
  readonly echo?: string;
  /** The prompt is a text that the answer goes on with. */
  readonly continues?: boolean;
}

/** Where there is no seed; any will do, and a run's answers shall differ from the last's. */
const freshSeed = (): number => randomInt(2 ** 47);
const tokens = z.int().min(1);

const ResponseFormat = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('text') }),
  z.strictObject({ type: z.literal('json_object') }),
  z.strictObject({
    type: z.literal('json_schema'),
    json_schema: z.strictObject({
      name: z.string(),
      // For the client's own use: the model is not told of it.
      description: z.string().nullish(),
      schema: z.record(z.string(), z.unknown()).optional(),
      // The answer keeps to the schema with it and without it.
      strict: z.boolean().nullish(),
    }),
  }),
], { error: 'expected one of text, json_object and json_schema' });
const Chat = z.strictObject({
  ...SHARED,
  messages: z.array(ChatMessage).min(1),
  max_tokens: tokens.optional(),
  max_completion_tokens: tokens.optional(),
  logprobs: z.boolean().default(false),
  top_logprobs: z.int().min(0).max(20).optional(),
  response_format: ResponseFormat.optional(),
  modalities: z.array(z.literal('text', { error: 'only text is supported by this server' })).optional(),
  tools: z.array(Tool).optional(),
  tool_choice: ToolChoice.optional(),
  parallel_tool_calls: z.boolean().optional(),
  // As vLLM names it: the last message is the beginning of the answer.
  continue_final_message: z.boolean().default(false),
  add_generation_prompt: z.boolean().optional(),
});

/** A body of /v1/chat/completions. */
export function readChat(json: unknown): Ask {
  const body = parseBody(Chat, json);
  const {
    max_tokens: most,
    max_completion_tokens: mostCompletion,
    logprobs,
    top_logprobs: top,
    continue_final_message: goOn,
    add_generation_prompt: generation,
  } = body;
  if (most !== undefined && mostCompletion !== undefined && most !== mostCompletion) {
    throw badRequest(`max_tokens is ${most} and max_completion_tokens is ${mostCompletion}: give one of them.`, 'max_tokens');
  }
  if (top !== undefined && !logprobs) throw badRequest('top_logprobs needs logprobs: true.', 'top_logprobs');
  if (generation !== undefined && generation === goOn) {
    throw badRequest(
      goOn
        ? 'continue_final_message goes on with the last message, so add_generation_prompt must be false.'
        : 'Without continue_final_message, the answer is a message of its own: add_generation_prompt must be true.',
      'add_generation_prompt',
    );
  }
  const tools = toolsOf(body);
  const messages = withTools(body.messages.map(messageOf), tools);
  if (goOn && messages.at(-1)!.role !== 'assistant')
    throw badRequest('continue_final_message needs a last message of the assistant.', 'messages');
  const maxTokens = mostCompletion ?? most;
  const grammar = grammarOf(body.response_format);
  if (grammar !== undefined && goOn) {
    throw badRequest('response_format and continue_final_message together are not supported by this server.', 'response_format');
  }
  if (tools !== undefined && (grammar !== undefined || goOn)) {
    const other = goOn ? 'continue_final_message' : 'response_format';
    throw badRequest(`tools and ${other} together are not supported by this server.`, other);
  }
  const [prompt, begun] = goOn ? [messages.slice(0, -1), messages.at(-1)!.content] : [messages, ''];
  const kept = { prompt, begun, metadata: body.metadata ?? {} };
  return {
    kept,
    grammar,
    tools,
    kind: 'chat', model: body.model, n: body.n, stream: body.stream, usage: body.stream_options?.include_usage ?? false, logprobs,
    sampling: { ...samplingOf(body, freshSeed), ...(top === undefined ? {} : { top }) },
    maxTokens,
    maxTokensField: mostCompletion === undefined ? 'max_tokens' : 'max_completion_tokens',
    prompts(model) {
      try {
        if (!goOn) return [{ ids: model.template.prompt(messages) }];
        const begun = begunTurn(model, messages.at(-1)!.content);
        return [{ ids: [...model.template.prompt(messages.slice(0, -1)), ...begun], continues: begun.length > 0 }];
      } catch (error) {
        throw badRequest((error as Error).message, 'messages');
      }
    },
  };
}

/** What an answer in a format may be; undefined for any text. */
function grammarOf(format: z.output<typeof ResponseFormat> | undefined): Rule | undefined {
  if (format === undefined || format.type === 'text') return undefined;
  if (format.type === 'json_object' || format.json_schema.schema === undefined) return OBJECT;
  try {
    return schemaRule(format.json_schema.schema);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw badRequest([error.message, ...error.hints].join('. '), 'response_format.json_schema.schema', 'invalid_value');
  }
}

const Ids = z.array(z.int().min(0));
const CompletionBody = z.strictObject({
  ...SHARED,
  prompt: z.union([z.string(), z.array(z.string()).min(1), Ids.min(1), z.array(Ids).min(1)], {
    error: 'expected a text, a list of texts, a list of token numbers, or a list of such lists',
  }),
  max_tokens: z.int().min(0).default(16),
  logprobs: z.int().min(0).max(20).optional(),
  echo: z.boolean().default(false),
  best_of: z.int().optional(),
  // As vLLM names them.
  stop_token_ids: Ids.optional(),
  return_token_ids: z.boolean().default(false),
});

/** A body of /v1/completions. Control tokens in the prompt's text mean those tokens: the caller writes the whole text. */
export function readCompletion(json: unknown): Ask {
  const body = parseBody(CompletionBody, json);
  const { prompt, logprobs, echo, max_tokens: maxTokens, best_of: bestOf, n, stop_token_ids: stopIds, return_token_ids: tokenIds } = body;
  if (bestOf !== undefined && bestOf !== n) throw badRequest('best_of is not supported by this server; leave it out.', 'best_of');
  if (maxTokens === 0 && !echo) throw badRequest('max_tokens is 0, which only echo has a use for.', 'max_tokens');
  if (echo && body.stream) throw badRequest('echo and stream together are not supported by this server.', 'echo');
  if (tokenIds && body.stream)
    throw badRequest('return_token_ids and stream together are not supported by this server.', 'return_token_ids');
  const given = typeof prompt === 'string' || isIds(prompt) ? [prompt] : prompt;
  return {
    kind: 'completion',
    tokenIds,
    model: body.model,
    n,
    stream: body.stream,
    usage: body.stream_options?.include_usage ?? false,
    logprobs: logprobs !== undefined,
    sampling: { ...samplingOf(body, freshSeed), ...(logprobs === undefined ? {} : { top: logprobs }), ...(stopIds && { stopIds }) },
    maxTokens,
    maxTokensField: 'max_tokens',
    prompts({ tokenizer, architecture }) {
      const strange = stopIds?.find((id) => id >= architecture.vocabulary);
      if (strange !== undefined) {
        const last = architecture.vocabulary - 1;
        throw badRequest(`stop_token_ids holds token ${strange}; the model has tokens 0 to ${last}.`, 'stop_token_ids');
      }
      return given.map((one, i) => {
        const ids = typeof one === 'string' ? begun(tokenizer, tokenizer.encode(one, { special: true })) : one;
        const at = given.length === 1 ? 'prompt' : `prompt[${i}]`;
        if (ids.length === 0) throw badRequest(`${at} has no tokens.`, at);
        const bad = ids.find((id) => id >= tokenizer.vocabularySize);
        if (bad !== undefined) throw badRequest(`${at} holds token ${bad}; the model has tokens 0 to ${tokenizer.vocabularySize - 1}.`, at);
        const continues = !tokenizer.isSpecial(ids.at(-1)!);
        return { ids, continues, ...(echo ? { echo: typeof one === 'string' ? one : tokenizer.decode(one) } : {}) };
      });
    },
  };
}

/** A text with BOS before it, where its tokenizer puts one; a text that begins with BOS (a rendered chat template) has it already. */
const begun = ({ addsBos, bosId }: Tokenizer, ids: number[]): number[] => (addsBos && ids[0] !== bosId ? [bosId!, ...ids] : ids);

const isIds = (prompt: readonly (string | number | number[])[]): prompt is number[] => typeof prompt[0] === 'number';

/**
 * The prompts as the generator takes them, and the most tokens that each answer may have.
 *
 * @throws ApiError where the context has no room
 */
export function fit(
  { n, maxTokens, maxTokensField, kind }: Ask,
  prompts: readonly Prompt[],
  context: number,
): { readonly requests: GenerationRequest[]; readonly maxNewTokens: number } {
  const longest = Math.max(...prompts.map(({ ids }) => ids.length));
  const least = maxTokens ?? 1;
  if (longest + least > context) {
    const field = kind === 'chat' ? 'messages' : 'prompt';
    // Fewer tokens of an answer are a way out only where some number was asked for, and the prompt alone fits.
    const tooLong = maxTokens === undefined || longest >= context ? field : `prompt, or ${maxTokensField}`;
    throw badRequest(
      `This model's maximum context length is ${context} tokens. However, you requested ${longest + least} tokens ` +
        `(${longest} in the ${field}, ${least} in the completion). Please reduce the length of the ${tooLong}.`,
      field,
      'context_length_exceeded',
    );
  }
  const requests = prompts.map(({ ids, continues }, row) => ({ prompt: ids, row, continues, samples: n }));
  return { requests, maxNewTokens: maxTokens ?? context - longest };
}
