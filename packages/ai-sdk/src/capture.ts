/** A middleware of the AI SDK that keeps a model's answers in a feedback store. */
import { randomUUID } from 'node:crypto';
import type { LanguageModelV3CallOptions, LanguageModelV3Middleware } from '@ai-sdk/provider';
import { type FeedbackStore, type GivenAnswer, type Message, UserError } from '@heed/heed/feedback';
import { withId } from './id.js';
import { type Ended, tapped } from './tap.js';
import { NotText, createAnswerText, messagesOf } from './text.js';

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
export function captureFeedback(store: Pick<FeedbackStore, 'keep'>): LanguageModelV3Middleware {
  return {
    // AI SDK 7 takes a middleware of this version too.
    specificationVersion: 'v3',
    async wrapGenerate({ doGenerate, params, model }) {
      const asked = askedOf(params, model.modelId);
      const result = await doGenerate();
      const answer = createAnswerText();
      for (const part of result.content) answer.add(part);
      const id = randomUUID();
      const kept = await keep(store, asked, {
        id, completion: () => answer.completion(), finish: answer.finish(result.finishReason), response: result.response,
      });
      return kept ? { ...result, providerMetadata: withId(result.providerMetadata, id) } : result;
    },
    async wrapStream({ doStream, params, model }) {
      const asked = askedOf(params, model.modelId);
      const { stream, ...rest } = await doStream();
      const id = randomUUID();
      const ended = (end: Omit<Ended, 'id'>): Promise<boolean> => keep(store, asked, { id, ...end });
      return { ...rest, stream: tapped(stream, { id, keep: ended, signal: params.abortSignal }) };
    },
  };
}

/** What is known of an answer when it is asked for. */
interface Asked extends Pick<GivenAnswer, 'model' | 'tags' | 'episode'> {
  /** @throws NotText */
  messages(): Message[];
}

/** @throws UserError where the metadata of the call are not texts */
function askedOf(params: LanguageModelV3CallOptions, model: string): Asked {
  const metadata: unknown = params.providerOptions?.['heed']?.['metadata'] ?? {};
  if (typeof metadata !== 'object' || metadata === null || Array.isArray(metadata))
    throw new UserError(`providerOptions.heed.metadata is ${JSON.stringify(metadata)}; expected texts by name.`);
  for (const [name, value] of Object.entries(metadata)) {
    if (typeof value === 'string') continue;
    throw new UserError(`providerOptions.heed.metadata.${name} is ${JSON.stringify(value)}; expected a text.`);
  }
  const { episode_id: episode, ...tags } = metadata as Readonly<Record<string, string>>;
  return { model, tags, ...(episode === undefined ? {} : { episode }), messages: () => messagesOf(params) };
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
