/** The id by which feedback names an answer: it travels in the answer's provider metadata. */
import type { SharedV3ProviderMetadata } from '@ai-sdk/provider';

/** The metadata with the id of the answer that they belong to. */
export const withId = (metadata: SharedV3ProviderMetadata | undefined, id: string): SharedV3ProviderMetadata =>
  ({ ...metadata, heed: { ...metadata?.['heed'], inference_id: id } });

/**
 * The id that feedback on an answer needs (`inference_id`).
 *
 * @param metadata The `providerMetadata` of a result, of a step, of a part of a stream, or of a part of a message in the browser.
 * @returns undefined where the answer was not kept, or comes from a model without `captureFeedback` and not from Heed
 */
export function inferenceId(metadata: Readonly<Record<string, unknown>> | undefined): string | undefined {
  const own = metadata?.['heed'];
  const id = typeof own === 'object' && own !== null ? (own as Readonly<Record<string, unknown>>)['inference_id'] : undefined;
  return typeof id === 'string' ? id : undefined;
}
