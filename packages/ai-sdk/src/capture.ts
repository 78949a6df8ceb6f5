/** A middleware of the AI SDK that keeps a model's answers in a feedback store. */
import { randomUUID } from 'node:crypto';
import type { LanguageModelV3CallOptions, LanguageModelV3GenerateResult, LanguageModelV3StreamPart } from '@ai-sdk/provider';
import { type FeedbackStore, type GivenAnswer, type Message, UserError } from '@heed/heed/feedback';
import { withId } from './id.js';
import { type Ended, tapped } from './tap.js';
import { NotText, createAnswerText, messagesOf } from './text.js';

/** What is seen of a call. The AI SDK's versions 6 and 7 differ in the types of prompts and tools, so these are read as they come. */
export interface CapturedCall {
  readonly params: Pick<LanguageModelV3CallOptions, 'abortSignal'> & {
    readonly prompt: unknown;
    readonly tools?: unknown;
    readonly providerOptions?: Readonly<Record<string, Readonly<Record<string, unknown>> | undefined>>;
  };
  readonly model: { readonly modelId: string };
}

/** A middleware for `wrapLanguageModel`, in AI SDK 6 and 7. Results are passed on with the answer's id in `providerMetadata`. */
export interface FeedbackMiddleware {
  readonly specificationVersion: 'v3';
  wrapGenerate<Result extends object>(call: CapturedCall & { doGenerate(): PromiseLike<Result> }): Promise<Result>;
  wrapStream<Part, Result extends { stream: ReadableStream<Part> }>(
    call: CapturedCall & { doStream(): PromiseLike<Result> },
  ): Promise<Result>;
}

/**
 * Keeps every answer of a model in a feedback store, whoever serves the model: `wrapLanguageModel({ model, middleware })`. The answer's id
 * is `inferenceId(result.providerMetadata)`; a stream has it in the metadata of its text parts too, from their beginning. Each step of a
 * loop with tools is an answer of its own.
 *
 * An answer is kept before its last part is given. One that was stopped or broke off is kept as such, and makes no rows. What cannot be
 * kept (a prompt with a picture, a full disk) is given all the same, without an id, and Node warns (`HeedFeedback`).
 *
 * `providerOptions.heed.metadata` of a call are texts by name: `episode_id` is the conversation, the others are kept as tags.
 *
 * @param store Where to keep them: `await openFeedback('feedback.db')`.
 */
export function captureFeedback(store: Pick<FeedbackStore, 'keep'>): FeedbackMiddleware {
  return {
    // AI SDK 7 takes a middleware of this version too.
    specificationVersion: 'v3',
    async wrapGenerate({ doGenerate, params, model }) {
      const asked = askedOf(params, model.modelId);
      const given = await doGenerate();
      const result = given as unknown as LanguageModelV3GenerateResult;
      const answer = createAnswerText();
      for (const part of result.content) answer.add(part);
      const id = randomUUID();
      const kept = await keep(store, asked, {
        id, completion: () => answer.completion(), finish: answer.finish(result.finishReason), response: result.response,
      });
      return kept ? { ...given, providerMetadata: withId(result.providerMetadata, id) } : given;
    },
    async wrapStream({ doStream, params, model }) {
      const asked = askedOf(params, model.modelId);
      const given = await doStream();
      const stream = given.stream as unknown as ReadableStream<LanguageModelV3StreamPart>;
      const id = randomUUID();
      const ended = (end: Omit<Ended, 'id'>): Promise<boolean> => keep(store, asked, { id, ...end });
      return { ...given, stream: tapped(stream, { id, keep: ended, signal: params.abortSignal }) };
    },
  };
}

/** What is known of an answer when it is asked for. */
interface Asked extends Pick<GivenAnswer, 'model' | 'tags' | 'episode'> {
  /** @throws NotText */
  messages(): Message[];
}

/** @throws UserError where the metadata of the call are not texts */
function askedOf({ prompt, tools, providerOptions }: CapturedCall['params'], model: string): Asked {
  const metadata: unknown = providerOptions?.['heed']?.['metadata'] ?? {};
  if (typeof metadata !== 'object' || metadata === null || Array.isArray(metadata))
    throw new UserError(`providerOptions.heed.metadata is ${JSON.stringify(metadata)}; expected texts by name.`);
  for (const [name, value] of Object.entries(metadata)) {
    if (typeof value === 'string') continue;
    throw new UserError(`providerOptions.heed.metadata.${name} is ${JSON.stringify(value)}; expected a text.`);
  }
  const { episode_id: episode, ...tags } = metadata as Readonly<Record<string, string>>;
  return {
    model, tags, ...(episode === undefined ? {} : { episode }),
    messages: () => messagesOf({ prompt, tools } as Pick<LanguageModelV3CallOptions, 'prompt' | 'tools'>),
  };
}

/** @returns whether the answer is on disk */
async function keep(
  store: Pick<FeedbackStore, 'keep'>, { messages, tags, ...asked }: Asked, { id, completion, finish, response }: Ended,
): Promise<boolean> {
  try {
    // By the provider's own id an answer is found in the provider's logs.
    const named = response?.id === undefined ? tags : { response_id: response.id, ...tags };
    await store.keep([{ id, choice: 0, prompt: messages(), completion: completion(), ...asked, finish, tags: named }]);
    return true;
  } catch (error) {
    const why = error instanceof NotText || error instanceof UserError ? error.message : String(error);
    process.emitWarning(`An answer of ${asked.model} was not kept for feedback: ${why}`, 'HeedFeedback');
    return false;
  }
}
