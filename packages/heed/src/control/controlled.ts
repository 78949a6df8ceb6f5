/** A generator under a controller: each prompt is answered in the way that the controller chooses for it. */
import type { Generator } from '../generate/generator.js';
import type { SamplingOptions } from '../generate/options.js';
import type { Completion, GenerationHooks, GenerationRequest } from '../generate/request.js';
import type { Tokenizer } from '../text/tokenizer.js';
import { samplingOf } from './actions.js';
import { type Controller, type Decision, decide } from './controller.js';
import type { PromptReader } from './readings.js';

export interface ControlledOptions {
  readonly controller: Controller;
  /** Reads prompts with the model, and the adapter, that the controller was trained with. */
  readonly reader: PromptReader;
  readonly tokenizer: Tokenizer;
  /** One of the controller's tasks. */
  readonly task?: string;
  /** Takes the decision for each request. */
  onDecision?(row: number, decision: Decision): void;
}

/**
 * The generator with a controller before it. The controller's action replaces temperature, filters and masks of the options it is
 * called with; their length, seed, stop texts and `top` stay. `release` releases the reader too.
 */
export function controlGenerator(generator: Generator, options: ControlledOptions): Generator {
  const { controller, reader, tokenizer, task, onDecision } = options;
  return {
    ...generator,
    async generate(requests, sampling, hooks) {
      const readings = await reader.read(requests.map(({ prompt }) => prompt));
      const actions = requests.map(({ row }, i) => {
        const decision = decide(controller, readings[i]!, task);
        onDecision?.(row, decision);
        return samplingOf(controller.actions[decision.action]!, tokenizer);
      });
      return generateEach(generator, requests.map((request, i) => ({ request, options: onlyLimits(sampling, actions[i]!) })), hooks);
    },
    async release() {
      await reader.release();
      await generator.release();
    },
  };
}

/** The options under an action: of the caller's own, what says nothing of how a token is chosen. */
const onlyLimits = ({ maxNewTokens, seed, stop, top }: SamplingOptions, action: Partial<SamplingOptions>): SamplingOptions =>
  ({ temperature: 0, ...action, maxNewTokens, seed, stop, top });

/** A request with options of its own. */
export interface OwnRequest {
  readonly request: GenerationRequest;
  readonly options: SamplingOptions;
}

/** Generates requests with options of their own in one batch → completions in the order of the requests, samples together. */
export async function generateEach(
  generator: Pick<Generator, 'generate'>, given: readonly OwnRequest[], hooks: GenerationHooks = {},
): Promise<Completion[]> {
  const groups = new Map<string, (OwnRequest & { readonly i: number })[]>();
  for (const [i, one] of given.entries()) {
    const key = JSON.stringify(one.options);
    groups.set(key, [...(groups.get(key) ?? []), { ...one, i }]);
  }
  const total = given.reduce((sum, { request }) => sum + (request.samples ?? 1), 0);
  const progress = new Map<string, { readonly tokens: number; readonly finished: number }>();
  const results = new Array<Completion[]>(given.length);
  await Promise.all([...groups].map(async ([key, group]) => {
    const completions = await generator.generate(group.map(({ request }) => request), group[0]!.options, {
      ...hooks,
      onProgress(now) {
        progress.set(key, now);
        const all = [...progress.values()];
        const sum = (name: 'tokens' | 'finished'): number => all.reduce((n, one) => n + one[name], 0);
        hooks.onProgress?.({ tokens: sum('tokens'), finished: sum('finished'), total });
      },
    });
    let at = 0;
    for (const { request, i } of group) {
      results[i] = completions.slice(at, at + (request.samples ?? 1));
      at += request.samples ?? 1;
    }
  }));
  return results.flat();
}
