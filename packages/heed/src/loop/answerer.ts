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

/** Sequences that generation works on together. */
const LIVE = 32;

/** What the policy is asked. */
export interface Asking {
  /** Where the answers are kept; what is there is not asked again. */
  readonly file: string;
  /** Names the answers in the file. */
  readonly round: number | string;
  readonly rows: readonly Pick<PromptRow, 'prompt'>[];
  /** Answers to each prompt. */
  readonly samples: number;
  readonly sampling: SamplingOptions;
  /** The adapter's parameters where they lie; undefined answers with the model as it is. */
  readonly policy: View | undefined;
  /** Words for the progress bar. */
  readonly doing: string;
}

/** The policy as it answers prompts: one generator for a whole run, opened when it is first needed. */
export interface Answerer {
  /** Answers by (row, sample). @throws Interrupted where a stop was asked for */
  answer(asking: Asking): Promise<readonly Answer[]>;
  /** The generator with an adapter set, or none: for held-out prompts. */
  generator(policy: View | undefined): Promise<Generator>;
  /** Gives back what the generator needs while it generates; its programs stay. */
  rest(): Promise<void>;
  release(): Promise<void>;
}

export function createAnswerer(engine: Engine, model: Model, plan: AdapterPlan, { progress = silentProgress, interrupt }: Hooks): Answerer {
  let opened: Promise<Generator> | undefined;
  const generator = async (policy: View | undefined): Promise<Generator> => {
    const held = await (opened ??= openGenerator(engine, model, { batch: LIVE, plan }));
    await held.setAdapter(policy);
    return held;
  };
  return {
    generator,
    async answer({ file, round, rows, samples, sampling, policy, doing }) {
      progress.start(doing, rows.length * samples, { unit: 'answers' });
      let ready: Promise<Generator> | undefined;
      try {
        return await answerPrompts(file, {
          round, samples, sampling,
          prompts: rows.map(({ prompt }) => model.template.prompt(prompt)),
          // Where the file has all answers nothing is opened.
          generator: { generate: async (...given) => (await (ready ??= generator(policy))).generate(...given) },
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
