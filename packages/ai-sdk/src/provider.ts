/** The AI SDK's provider for models that `heed serve` serves. */
import { type MetadataExtractor, type OpenAICompatibleProvider, createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { withId } from './id.js';

/** Where the server is. */
export interface HeedOptions {
  /** The server's address with `/v1`. Default: `http://127.0.0.1:8321/v1`. */
  readonly baseURL?: string;
  /** The server's token, `HEED_SERVE_TOKEN` there. Default: none. */
  readonly apiKey?: string;
}

const idOf = (body: unknown): string | undefined => {
  const id = typeof body === 'object' && body !== null && 'id' in body ? body.id : undefined;
  return typeof id === 'string' ? id : undefined;
};

/** The server's answer ids, where `inferenceId` finds them. */
const ids: MetadataExtractor = {
  async extractMetadata({ parsedBody }) {
    const id = idOf(parsedBody);
    return id === undefined ? undefined : withId(undefined, id);
  },
  createStreamExtractor() {
    let id: string | undefined;
    return {
      processChunk: (chunk) => { id ??= idOf(chunk); },
      buildMetadata: () => (id === undefined ? undefined : withId(undefined, id)),
    };
  },
};

/**
 * Models that a `heed serve` serves: `createHeed()('cut')` is the adapter `cut`, for `generateText` and `streamText`.
 *
 * The settings of the AI SDK become the fields of the request. Other fields of `heed serve` go through `providerOptions.heed`:
 * `{ top_k: 5, metadata: { episode_id: 'ticket-4711' } }`. Feedback names an answer by `inferenceId(result.providerMetadata)`.
 */
export const createHeed = (
  { baseURL = 'http://127.0.0.1:8321/v1', apiKey }: HeedOptions = {},
): OpenAICompatibleProvider => createOpenAICompatible({
  name: 'heed', baseURL, includeUsage: true, supportsStructuredOutputs: true, metadataExtractor: ids,
  ...(apiKey === undefined ? {} : { apiKey }),
});
