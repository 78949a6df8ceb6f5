/** What a server is asked for to sample the policy, and the answers in its reply. */
import { z } from 'zod';
import { UserError } from '../../errors.js';
import type { SamplingOptions } from '../../generate/options.js';
import type { Completion, GenerationRequest } from '../../generate/request.js';
import { createRandom } from '../../run/random.js';

/**
 * A body of /v1/completions, as vLLM takes it. Everything that says how tokens are chosen is written out: what is left out, vLLM takes from
 * the model's generation_config.json. Tokens end an answer that end a turn here.
 */
export function bodyOf(
  { prompt, row }: GenerationRequest, n: number, { maxNewTokens, temperature, topP, topK, minP, seed }: SamplingOptions,
  stopIds: readonly number[],
): object {
  return {
    prompt, n, temperature, max_tokens: maxNewTokens,
    top_p: topP ?? 1, top_k: topK ?? -1, min_p: minP ?? 0, repetition_penalty: 1,
    // vLLM gives the choices of a request seeds that follow one another, so those of two prompts must lie apart.
    seed: createRandom('sampler', seed, row).int(2 ** 31),
    stop_token_ids: stopIds,
    // The chosen token's log-probability, and none beside it.
    logprobs: 0,
    return_token_ids: true,
  };
}

const Choice = z.object({
  index: z.int().min(0),
  finish_reason: z.string().nullish(),
  token_ids: z.array(z.int().min(0)).nullish(),
  prompt_token_ids: z.array(z.int().min(0)).nullish(),
  logprobs: z.object({ token_logprobs: z.array(z.number().nullable()).nullish() }).nullish(),
});
const Reply = z.object({ choices: z.array(Choice) });

/** What a reply is held against. */
export interface Asked {
  readonly request: GenerationRequest;
  /** Answers that were asked for. */
  readonly n: number;
  /** The server, for messages. */
  readonly from: string;
  readonly stopIds: readonly number[];
  readonly vocabulary: number;
  /** The text of tokens. */
  text(ids: readonly number[], continues: boolean | undefined): string;
}

/**
 * The answers in a reply, as the tokens that were sampled and their log-probabilities. Their text is made of the tokens here.
 *
 * @throws UserError naming the server, where it lacks what the policy is learnt from
 */
export function completionsIn(json: object, { request, n, from, stopIds, vocabulary, text }: Asked): Completion[] {
  const { row, prompt, continues } = request;
  const refuse = (problem: string, ...ways: string[]): never => {
    throw new UserError(`generate.endpoint: ${from} ${problem}.`, [...ways, 'Then go on with --resume.']);
  };
  const parsed = Reply.safeParse(json);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    return refuse(`sent a reply that is no list of completions: ${issue!.path.join('.')}: ${issue!.message}`, 'Is its url right?');
  }
  const choices = [...parsed.data.choices].sort((a, b) => a.index - b.index);
  if (choices.length !== n) refuse(`sent ${choices.length} answers where ${n} were asked for`, 'Serve the policy by vLLM or heed serve.');
  return choices.map((choice, sample): Completion => {
    const { token_ids: ids, prompt_token_ids: read, logprobs } = choice;
    if (ids === undefined || ids === null)
      return refuse('sent no token ids, though return_token_ids asked for them', 'Take vLLM 0.10.2 or newer, or heed serve.');
    if (read !== undefined && read !== null && read.join() !== prompt.join()) {
      refuse(`read another prompt than the ${prompt.length} tokens that were sent: it says ${read.length} tokens`,
        'It may not cut prompts or add tokens to them: give it the room that the recipe needs (vLLM: --max-model-len).');
    }
    const given = logprobs?.token_logprobs ?? [];
    if (given.length !== ids.length || given.includes(null)) {
      const have = given.filter((one) => one !== null).length;
      refuse(`sent ${have} log-probabilities for ${ids.length} tokens`, 'It must give one for each sampled token (logprobs: 0).');
    }
    const strange = ids.find((id) => id >= vocabulary);
    if (strange !== undefined) {
      const problem = `sent token ${strange}, and the model has tokens 0 to ${vocabulary - 1}`;
      refuse(problem, 'It serves another model: set generate.endpoint.model.');
    }
    const { finish_reason: finish } = choice;
    if (finish !== 'stop' && finish !== 'length')
      return refuse(`ended an answer for the reason ${JSON.stringify(finish ?? null)}; expected stop or length`, "Its log may say why.");
    const ended = stopIds.includes(ids.at(-1) ?? -1);
    if (finish === 'stop' && !ended) {
      refuse(
        `ended an answer with token ${ids.at(-1) ?? 'none'}, which ends no turn of this model (${stopIds.join(', ')})`,
        'vLLM ends answers at tokens of its own too; generate.endpoint.extra: { ignore_eos: true } leaves those above alone.',
      );
    }
    const own = ended ? ids.slice(0, -1) : ids;
    return { row, sample, ids, logprobs: given as number[], text: text(own, continues), finish: ended ? 'stop' : 'length' };
  });
}
