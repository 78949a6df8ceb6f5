/** `generate.endpoint`: servers that sample the policy. */
import { z } from 'zod';
import { SERVERS, furtherFields, namedOnce } from '../../judge/endpoint/options.js';

/** Fields of a request for answers that Heed fills in itself. */
const OWN_FIELDS = [
  'model', 'prompt', 'max_tokens', 'n', 'temperature', 'top_p', 'top_k', 'min_p', 'repetition_penalty', 'seed', 'stop', 'stop_token_ids',
  'stream', 'logprobs', 'return_token_ids', 'echo',
];

/** Servers with vLLM's interface, which all have the recipe's model without an adapter and take adapters while they run. */
export const SamplerOptions = z
  .strictObject({
    ...SERVERS,
    /** Further fields of every request, such as `ignore_eos`. */
    extra: furtherFields(OWN_FIELDS).optional(),
  })
  .superRefine(namedOnce);
export type SamplerOptions = z.infer<typeof SamplerOptions>;

/** Options of the servers that change no answer, and may differ when a run goes on. `model` is but a name of the recipe's model. */
export const SAMPLER_FREE: readonly string[] =
  ['url', 'replicas', 'model', 'keyFrom', 'concurrency', 'rate', 'timeout', 'retries', 'backoff', 'patience']
    .map((key) => `generate.endpoint.${key}`);
