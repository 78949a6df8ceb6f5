/** A generator under a controller: each prompt is answered in the way that the controller chooses for it. */
import type { Generator } from '../generate/generator.js';
import type { SamplingOptions, Steering } from '../generate/options.js';
import type { Completion, GenerationHooks, GenerationRequest, Steer, Token } from '../generate/request.js';
import type { Tokenizer } from '../text/tokenizer.js';
import { samplingOf } from './actions.js';
import { type Controller, type Decision, decide } from './controller.js';
import type { PromptReader } from './readings.js';
import { type AnswerSoFar, SHOWN } from './state.js';

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
 * called with; their length, seed, stop texts and `top` stay. `release` releases the reader too, and `setAdapter` is refused.
 */
export function controlGenerator(generator: Generator, options: ControlledOptions): Generator {
  const { controller, reader, tokenizer, task, onDecision } = options;
  const names = Object.keys(controller.actions);
  return {
    ...generator,
    setAdapter: () => Promise.reject(new Error('A controller belongs to the adapter that it was trained with.')),
    async generate(requests, sampling, hooks = {}) {
      const readings = await reader.read(requests.map(({ prompt }) => prompt));
      const actionOf = (row: number, x: number, sofar?: AnswerSoFar): string => {
        const decision = decide(controller, readings[x]!, task, sofar);
        onDecision?.(row, decision);
        return decision.action;
      };
      const given = requests.map((request, x): OwnRequest => {
        const first = actionOf(request.row, x);
        const shown = controller.segment > 0 ? { ...sampling, top: Math.max(SHOWN, sampling.top ?? 0) } : sampling;
        const own = onlyLimits(shown, samplingOf(controller.actions[first]!, tokenizer));
        if (controller.segment === 0) return { request, options: own };
        const last = new Map<number, string>();
        return { request, options: own, steer: { every: controller.segment, choose({ sample, ids, tops }) {
          const before = names.indexOf(last.get(sample) ?? first);
          const action = actionOf(request.row, x, { ids, tops, most: sampling.maxNewTokens, last: before });
          last.set(sample, action);
          return samplingOf(controller.actions[action]!, tokenizer);
        } } };
      });
      if (controller.segment === 0) return generateEach(generator, given, hooks);
      const asked = sampling.top ?? 0;
      return (await generateEach(generator, given, withTop(hooks, asked))).map((completion) => cut(completion, asked));
    },
    async release() {
      await reader.release();
      await generator.release();
    },
  };
}

/** A completion with as many of the likeliest tokens as its caller asked for. */
const cut = ({ tops, ...completion }: Completion, asked: number): Completion =>
  (asked === 0 || tops === undefined ? completion : { ...completion, tops: tops.map((top) => top.slice(0, asked)) });

/** Hooks that get as many of the likeliest tokens as their caller asked for. */
function withTop({ onToken, onCompletion, ...hooks }: GenerationHooks, asked: number): GenerationHooks {
  const less = ({ top, ...token }: Token): Token => (asked === 0 || top === undefined ? token : { ...token, top: top.slice(0, asked) });
  return {
    ...hooks,
    onToken: onToken && ((row, sample, text, tokens) => onToken(row, sample, text, tokens.map(less))),
    onCompletion: onCompletion && ((completion) => onCompletion(cut(completion, asked))),
  };
}

/** The options under an action: of the caller's own, what says nothing of how a token is chosen. */
const onlyLimits = ({ maxNewTokens, seed, stop, top, constraint }: SamplingOptions, action: Steering): SamplingOptions =>
  ({ ...action, maxNewTokens, seed, stop, top, constraint });

/** A request with options of its own. */
export interface OwnRequest {
  readonly request: GenerationRequest;
  readonly options: SamplingOptions;
  /** Changes them in mid-answer. */
  readonly steer?: Steer;
}

/** Generates requests with options of their own in one batch → completions in the order of the requests, samples together. */
export async function generateEach(
  generator: Pick<Generator, 'generate'>, given: readonly OwnRequest[], hooks: GenerationHooks = {},
): Promise<Completion[]> {
  const groups = new Map<string, (OwnRequest & { readonly i: number })[]>();
  for (const [i, one] of given.entries()) {
    // A steered answer gets a call of its own, since a call has one steer.
    const key = JSON.stringify([one.options, one.steer === undefined ? null : i]);
    groups.set(key, [...(groups.get(key) ?? []), { ...one, i }]);
  }
  const total = given.reduce((sum, { request }) => sum + (request.samples ?? 1), 0);
  const progress = new Map<string, { readonly tokens: number; readonly finished: number }>();
  const results = new Array<Completion[]>(given.length);
  await Promise.all([...groups].map(async ([key, group]) => {
    const completions = await generator.generate(group.map(({ request }) => request), group[0]!.options, {
      ...hooks,
      steer: group[0]!.steer,
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
