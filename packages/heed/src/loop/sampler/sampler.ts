/** The policy sampled by servers: what `generate.endpoint` of a recipe opens. */
import type { Engine, View } from '@heed/tensor';
import { UserError } from '../../errors.js';
import type { Generator } from '../../generate/generator.js';
import type { SamplingOptions } from '../../generate/options.js';
import type { Completion, GenerationHooks, GenerationRequest } from '../../generate/request.js';
import { createBudget } from '../../judge/endpoint/budget.js';
import { type EndpointClient, type Refusal, createEndpointClient } from '../../judge/endpoint/client.js';
import { keyOf } from '../../judge/endpoint/key.js';
import type { ServerCount } from '../../judge/respondent.js';
import type { AdapterPlan } from '../../model/adapter.js';
import type { Model } from '../../model/load.js';
import type { RunFolder } from '../../run/folder.js';
import type { Hooks } from '../../run/job.js';
import { Interrupted } from '../../run/signals.js';
import { bodyOf, completionsIn } from './completions.js';
import type { SamplerOptions } from './options.js';
import { type ServedPolicy, createServedPolicy } from './served-policy.js';

/** Servers that answer in the policy's stead. An answer depends on its own request alone. */
export interface Sampler {
  /**
   * What answers with a policy, which is loaded on the servers at the first use.
   *
   * @param policy The adapter's parameters in the engine. Undefined: the model without an adapter.
   * @param round Part of the adapter's name on the servers.
   */
  answering(policy: View | undefined, round: number | string): Pick<Generator, 'generate'>;
  /** What became of the requests to each server so far. */
  counts(): readonly ServerCount[];
  /** Takes the policy off the servers. */
  close(): Promise<void>;
}

export interface SamplerSetup {
  readonly engine: Engine;
  readonly model: Model;
  /** The recipe's `model`. */
  readonly modelId: string;
  readonly plan: AdapterPlan;
  readonly run: Pick<RunFolder, 'dir' | 'path'>;
  readonly hooks: Hooks;
}

/** @throws UserError where `keyFrom` names a variable that is not set */
export function createSampler(options: SamplerOptions, { engine, model, modelId, plan, run, hooks }: SamplerSetup): Sampler {
  const { interrupt, say = () => undefined } = hooks;
  const signal = interrupt?.signal;
  const client = createEndpointClient(options, { key: keyOf(options), budget: createBudget({}), note: say });
  const { checkpoint } = model;
  const others = options.replicas?.length ?? 0;
  const more = others === 0 ? '' : ` and ${others} more`;
  say(`Prompts are answered by ${options.model} at ${options.url}${more}, held-out prompts by the engine here.`);
  const policies: ServedPolicy = createServedPolicy({
    client, engine, checkpoint, plan, modelId, base: options.model, run, signal, say,
  });
  return {
    answering: (policy, round) => ({
      async generate(requests, sampling, given) {
        const name = await policies.serve(policy, round);
        return answerAll(client, { ...options, model: name }, model, { requests, sampling, hooks: given ?? {}, signal });
      },
    }),
    counts: client.counts,
    async close() {
      try {
        await policies.close();
      } finally {
        client.close();
      }
    },
  };
}

interface Work {
  readonly requests: readonly GenerationRequest[];
  readonly sampling: SamplingOptions;
  readonly hooks: GenerationHooks;
  readonly signal: AbortSignal | undefined;
}

/** The first request that fails for good ends those that are under way: the answers that came are the hooks' already. */
async function answerAll(
  client: EndpointClient, { model: name, extra }: Pick<SamplerOptions, 'model' | 'extra'>, { tokenizer, template, architecture }: Model,
  { requests, sampling, hooks, signal }: Work,
): Promise<Completion[]> {
  const stop = new AbortController();
  const signals = [stop.signal, signal, hooks.signal].filter((one) => one !== undefined);
  const total = requests.reduce((sum, { samples = 1 }) => sum + samples, 0);
  let [tokens, finished] = [0, 0];
  const { stopIds } = template;
  const { vocabulary } = architecture;
  const text = (ids: readonly number[], continues: boolean | undefined): string => tokenizer.decode(ids, { skipSpecial: true, continues });

  async function one(request: GenerationRequest): Promise<Completion[]> {
    const { samples = 1 } = request;
    // At temperature 0 all answers are one, and vLLM takes no other n.
    const n = sampling.temperature === 0 ? 1 : samples;
    const sent = await client.post(
      '/completions', { model: name, ...bodyOf(request, n, sampling, stopIds), ...extra },
      { completion: n * sampling.maxNewTokens, urgent: false, signal: AbortSignal.any(signals) },
    );
    if ('reason' in sent) {
      if (sent.reason.failure === 'cancelled') throw new Interrupted('Stopped while answering prompts; go on with --resume.');
      throw unanswered(sent.reason);
    }
    const drawn = completionsIn(sent.json, { request, n, from: sent.from, stopIds, vocabulary, text });
    const all = n === samples ? drawn : Array.from({ length: samples }, (_, sample) => ({ ...drawn[0]!, sample }));
    for (const completion of all) {
      tokens += completion.ids.length;
      finished++;
      hooks.onCompletion?.(completion);
    }
    hooks.onProgress?.({ tokens, finished, total });
    return all;
  }

  let failure: { readonly error: unknown } | undefined;
  const answers = await Promise.all(requests.map(async (request) => {
    try {
      return await one(request);
    } catch (error) {
      failure ??= { error };
      stop.abort();
      return [];
    }
  }));
  if (failure !== undefined) throw failure.error;
  return answers.flat();
}

/** Why the policy has no answer, in the server's words. */
function unanswered({ detail, failure, status }: Refusal): UserError {
  const way = (): string => {
    if (failure === 'too-long')
      return 'Lower generate.maxNewTokens or data.maxTokens, or give the servers more room (vLLM: --max-model-len).';
    if (status === 404) return 'generate.endpoint.model is the base as the servers name it; GET /v1/models lists their names.';
    if (status === 401 || status === 403) return 'generate.endpoint.keyFrom names the environment variable that holds their key.';
    return "The servers' logs may say more.";
  };
  return new UserError(`generate.endpoint: the policy gets no answer: ${detail}`, [
    way(), 'The answers that came are kept: go on with --resume.',
  ]);
}
