import { type Engine, view } from '@heed/tensor';
import type { PromptRow } from '../data/rows.js';
import { foreseeWriting } from '../generate/memory.js';
import { openGenerator } from '../generate/open.js';
import type { SamplingOptions } from '../generate/options.js';
import { openDeviceEngine } from '../model/device.js';
import type { Composed } from '../model/compose.js';
import type { Model } from '../model/load.js';
import { type RewardInput, openReward } from '../reward/open.js';
import type { Reward } from '../reward/reward.js';
import { closeAll } from '../run/close-all.js';
import type { Hooks, Measured } from '../run/job.js';
import { silentProgress } from '../run/progress.js';
import { Interrupted } from '../run/signals.js';
import type { Estimate } from '../run/statistics.js';
import { type AnswerReport, evaluateAnswers } from './answers.js';
import { changeOf, measurements } from './measurements.js';

/** What is measured: a sum of adapters, whose parts are left out in turn. */
export interface ContributionsOf {
  readonly model: Model;
  readonly composed: Composed;
  readonly parts: readonly string[];
  readonly rows: readonly PromptRow[];
  readonly sampling: SamplingOptions;
  readonly reward: RewardInput;
  readonly store?: string;
}

/** What a sum of adapters and each of its parts does to the reward. */
export interface Contributions {
  /** Measurements of the model alone, and with the whole sum. */
  readonly before: Readonly<Record<string, Measured>>;
  readonly after: Readonly<Record<string, Measured>>;
  /** The whole sum less the model alone, prompt by prompt. */
  readonly change: Readonly<Record<string, Estimate>>;
  /** For each part, prompt by prompt: measurements with the whole sum minus those with the sum without the part. */
  readonly parts: readonly { readonly name: string; readonly change: Readonly<Record<string, Estimate>> }[];
}

const LIVE = 32;

/**
 * Has the prompts answered by the model alone, with the whole sum, and with the sum without each part, and compares the rewards prompt by
 * prompt. What a part contributes is what the sum loses without it; contributions need not add up to the whole. Starts an engine, and
 * closes it.
 *
 * @throws UserError where the reward cannot be opened, or no answer got a rating
 * @throws Interrupted where `interrupt` asked for it
 */
export async function measureContributions(
  { model, composed, parts, rows, sampling, reward: spec, store }: ContributionsOf,
  { progress = silentProgress, interrupt, say }: Hooks = {},
): Promise<Contributions> {
  const engine = await openDeviceEngine({ say });
  let reward: Reward | undefined;
  try {
    const rated = await openReward(spec, { engine, log: say, store, interrupt });
    reward = rated;
    const prompts = rows.map(({ prompt }) => model.template.prompt(prompt).length);
    const setup = { model, plan: composed.plan, batch: LIVE, prompts, maxNewTokens: sampling.maxNewTokens };
    foreseeWriting(engine, [setup], { maxNewTokens: '--max-tokens ' }, say);
    const generator = await openGenerator(engine, model, { batch: LIVE, plan: composed.plan });
    const answer = async (doing: string, parameters?: Float32Array): Promise<AnswerReport> => {
      await using(engine, parameters, (adapter) => generator.setAdapter(adapter));
      progress.start(doing, rows.length, { unit: 'answers' });
      const report = await evaluateAnswers({
        model, generator, reward: rated, rows, sampling, signal: interrupt?.signal,
        onStage: (next, total) => progress.start(next, total, { unit: 'answers' }),
        onProgress(n) {
          if (interrupt?.requested === true) throw new Interrupted('Stopped while answering.');
          progress.update(n);
        },
      });
      progress.stop();
      return report;
    };
    const before = await answer('answering without an adapter');
    const after = await answer('answering with the whole', composed.parameters);
    const found: { name: string; change: Record<string, Estimate> }[] = [];
    for (const [i, name] of parts.entries()) {
      const without = await answer(`answering without ${name}`, composed.without(i));
      found.push({ name, change: changeOf(without, after, 0) });
    }
    return { before: measurements(before), after: measurements(after), change: changeOf(before, after, 0), parts: found };
  } finally {
    progress.stop();
    await closeAll(() => reward?.close(), () => engine.close());
  }
}

/** Lends numbers to the engine for one call. */
async function using(
  engine: Engine, numbers: Float32Array | undefined, use: (lent: ReturnType<typeof view> | undefined) => Promise<void>,
): Promise<void> {
  const buffer = numbers && (await engine.upload(numbers));
  await use(buffer && view(buffer));
  if (buffer !== undefined) await engine.free(buffer);
}
