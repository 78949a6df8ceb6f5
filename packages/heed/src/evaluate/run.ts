import type { DeviceName } from '@heed/tensor';
import type { PromptRow } from '../data/rows.js';
import { foreseeWriting } from '../generate/memory.js';
import { openGenerator } from '../generate/open.js';
import type { SamplingOptions } from '../generate/options.js';
import { openDeviceEngine } from '../model/device.js';
import type { Model } from '../model/load.js';
import type { Adapter } from '../model/peft.js';
import { type Scorer, createScorer } from '../model/scorer.js';
import { type RewardInput, describeReward, openReward } from '../reward/open.js';
import type { Reward } from '../reward/reward.js';
import { closeAll } from '../run/close-all.js';
import { type Hooks, type Measured, type Summary, peakRssMb } from '../run/job.js';
import { silentProgress } from '../run/progress.js';
import { Interrupted } from '../run/signals.js';
import { type Answer, type AnswerReport, evaluateAnswers } from './answers.js';
import { signsIn } from './degenerate.js';
import { changeOf, measurements } from './measurements.js';
import type { When } from './when.js';

/** What an evaluation works on. */
export interface Evaluation {
  readonly model: Model;
  /** Answers the prompts too, after the model alone. */
  readonly adapter?: Adapter;
  readonly rows: readonly PromptRow[];
  readonly sampling: SamplingOptions;
  readonly reward: RewardInput;
  /** Where the replies of a respondent behind the reward are kept. Default: runs/labels.db. */
  readonly store?: string;
  /** Default: what HEED_DEVICE says, else the CPU. */
  readonly device?: DeviceName;
}

/** How an evaluation reports to its caller. */
export interface EvaluationHooks extends Hooks {
  /** Takes the answers to all prompts as soon as they are rated. */
  onAnswers?(when: When, answers: readonly Answer[]): void;
}

/** What an evaluation found out. Without an adapter there is nothing but `before`. */
export interface EvaluationSummary extends Summary {
  readonly job: 'evaluate';
  /** The reward, for people. */
  readonly reward: string;
  readonly before: Readonly<Record<string, Measured>>;
  /** Signs that a model has collapsed (`signsIn`), in words, where there are some. */
  readonly signs: Readonly<Partial<Record<When, readonly string[]>>>;
  /** Answers without a rating, by reason. */
  readonly failures: Readonly<Partial<Record<When, Readonly<Record<string, number>>>>>;
}

/** Sequences that generation works on together. */
const LIVE = 32;

/**
 * Has the prompts answered by the model, and by the model with an adapter where one is given, and the answers rated and measured. Starts an
 * engine, and closes it.
 *
 * @throws UserError where the reward cannot be opened, or no answer got a rating
 * @throws Interrupted where `interrupt` asked for it
 */
export async function runEvaluation(
  { model, adapter, rows, sampling, reward: spec, store, device }: Evaluation, hooks: EvaluationHooks = {},
): Promise<EvaluationSummary> {
  const { progress = silentProgress, interrupt, say, onAnswers } = hooks;
  const started = performance.now();
  const engine = await openDeviceEngine({ device, say });
  const reports: Partial<Record<When, AnswerReport>> = {};
  let reward: Reward | undefined;
  let scorer: Scorer | undefined;
  try {
    const prompts = rows.map(({ prompt }) => model.template.prompt(prompt).length);
    const setup = { model, plan: adapter?.plan, batch: LIVE, prompts, maxNewTokens: sampling.maxNewTokens };
    foreseeWriting(engine, [setup], { maxNewTokens: '--max-tokens ' }, say);
    reward = await openReward(spec, { engine, log: say, store, interrupt });
    scorer = await createScorer(engine, model);
    for (const when of adapter === undefined ? ['before'] as const : ['before', 'after'] as const) {
      const generator = await openGenerator(engine, model, { batch: LIVE, adapter: when === 'after' ? adapter : undefined });
      progress.start(when === 'before' ? 'answering' : 'answering with the adapter', rows.length, { unit: 'answers' });
      const report = await evaluateAnswers({
        model, generator, scorer, reward, rows, sampling, signal: interrupt?.signal,
        onStage: (doing, total) => progress.start(doing, total, { unit: 'answers' }),
        onProgress(n) {
          if (interrupt?.requested === true) throw new Interrupted('Stopped while answering.');
          progress.update(n);
        },
      });
      progress.stop();
      if (interrupt?.requested === true) throw new Interrupted('Stopped while rating; the replies of a judge are kept.');
      await generator.release();
      reports[when] = report;
      onAnswers?.(when, report.answers);
    }
    const { before, after } = reports as { before: AnswerReport; after?: AnswerReport };
    return {
      job: 'evaluate', model: model.checkpoint.id, reward: describeReward(spec), rows: rows.length, skipped: 0,
      before: measurements(before), after: after && measurements(after), change: after && changeOf(before, after, 0),
      signs: Object.fromEntries(Object.entries({ before, after }).flatMap(([when, report]) => {
        const signs = signsIn(report?.answers.map((one) => ({ text: one.response, ids: one.tokens, finish: one.finish })) ?? []);
        return signs.length === 0 ? [] : [[when, signs]];
      })),
      failures: { before: before.failures, after: after?.failures },
      seconds: Math.round((performance.now() - started) / 100) / 10, peakRssMb: await peakRssMb(engine),
    };
  } finally {
    progress.stop();
    await closeAll(() => scorer?.release(), () => reward?.close(), () => engine.close());
  }
}
