import type { Engine, View } from '@heed/tensor';
import type { PromptRow } from '../data/rows.js';
import type { Generator } from '../generate/generator.js';
import { openGenerator } from '../generate/open.js';
import type { SamplingOptions } from '../generate/options.js';
import type { AdapterPlan } from '../model/adapter.js';
import type { Model } from '../model/load.js';
import { type Hooks } from '../run/job.js';
import { silentProgress } from '../run/progress.js';
import { type Answer, answerPrompts } from './answer-log.js';
import type { Sampler } from './sampler/sampler.js';
import { type Answering, sharedAnswers } from './shared-answers.js';

/** Sequences that are generated at the same time. */
const LIVE = 32;

/** Prompts for the policy to answer. */
export interface Asking {
  /** The file that keeps the answers. A prompt whose answers are in it is not asked again. */
  readonly file: string;
  /** Names the answers in the file. */
  readonly round: number | string;
  readonly rows: readonly Pick<PromptRow, 'prompt'>[];
  /** Answers to each prompt. */
  readonly samples: number;
  readonly sampling: SamplingOptions;
  /** The adapter's parameters in the engine. Undefined: the model answers without an adapter. */
  readonly policy: View | undefined;
  /** Words for the progress bar. */
  readonly doing: string;
}

/** Lets the policy answer prompts: one generator for a whole run, opened at its first use. */
export interface Answerer {
  /** Answers by (row, sample). @throws Interrupted where a stop was asked for */
  answer(asking: Asking): Promise<readonly Answer[]>;
  /** What answers with the given adapter or none: for held-out prompts. The generator opens at the first use. */
  answering(policy: View | undefined): Answering;
  /** Frees the memory that is needed only while generating. The compiled programs stay. */
  rest(): Promise<void>;
  release(): Promise<void>;
}

/** @param sampler Servers that answer prompts in the engine's stead; what `answering` gives stays the engine's. Default: none */
export function createAnswerer(
  engine: Engine, model: Model, plan: AdapterPlan, { progress = silentProgress, interrupt, shared }: Hooks, sampler?: Sampler,
): Answerer {
  let opened: Promise<Generator> | undefined;
  const generator = async (policy: View | undefined): Promise<Generator> => {
    const held = await (opened ??= openGenerator(engine, model, { batch: LIVE, plan }));
    await held.setAdapter(policy);
    return held;
  };
  const answering = (policy: View | undefined): Answering => {
    let ready: Promise<Generator> | undefined;
    const own: Answering = { generate: async (...given) => (await (ready ??= generator(policy))).generate(...given) };
    return policy === undefined && shared !== undefined ? sharedAnswers(shared, model, LIVE, own) : own;
  };
  return {
    answering,
    async answer({ file, round, rows, samples, sampling, policy, doing }) {
      progress.start(doing, rows.length * samples, { unit: 'answers' });
      try {
        return await answerPrompts(file, {
          round, samples, sampling,
          prompts: rows.map(({ prompt }) => model.template.prompt(prompt)),
          generator: sampler === undefined ? answering(policy) : sampler.answering(policy, round),
          independent: sampler !== undefined,
          hooks: { onProgress: (done) => progress.update(done), interrupt },
        });
      } finally {
        progress.stop();
      }
    },
    rest: async () => (await opened)?.rest(),
    async release() {
      await (await opened)?.release();
      opened = undefined;
    },
  };
}
