import { startEngine } from '@heed/tensor';
import { loadData } from '../data/load.js';
import type { AnswerReport } from '../evaluate/answers.js';
import { openReward } from '../reward/open.js';
import { rewardOfJudge } from '../reward/options.js';
import { type MethodOptions, methodOf } from '../method/index.js';
import { initialParameters } from '../model/adapter.js';
import { loadModel } from '../model/load.js';
import { saveAdapter } from '../model/peft.js';
import type { RunFolder } from '../run/folder.js';
import { type Progress, silentProgress } from '../run/progress.js';
import { sameAsBefore } from '../run/same-as-before.js';
import { writeReport } from '../run/report/write.js';
import { Interrupted } from '../run/signals.js';
import { describeStart, holdStart, startAdapter } from '../train/start.js';
import { type HeldOut, assess, logAnswers } from './held-out.js';
import { type Iteration, type IterationSetup, iterate } from './iteration.js';
import { openRoundJudge } from './judging.js';
import type { AlignRecipe } from './recipe.js';

/** How an alignment talks to whoever started it. */
export interface AlignHooks {
  /** Default: shows nothing. */
  readonly progress?: Progress;
  /** Set `requested` to have the run stop where it can go on later; `signal` aborts requests to a server that are under way. */
  readonly interrupt?: { readonly requested: boolean; readonly signal?: AbortSignal };
  /** A line for people about what was loaded, skipped or measured. */
  say?(line: string): void;
}

/** What an alignment run found out: the model before and after, on prompts that training never saw. */
export interface Aligned {
  readonly before: AnswerReport;
  readonly after: AnswerReport;
  readonly iterations: readonly Iteration[];
  /** Largest resident size of the process, in MiB. */
  readonly peakRssMb: number;
  /** The optimizer step after which a resumed run went on. */
  readonly resumedFrom?: number;
}

/**
 * The online loop of CUT (Xu et al. 2024, section 5.2): the model answers the prompts, a judge writes a judgment of each answer, the
 * method trains the adapter on them; repeat. Any method that learns from judged rows works here, and `sft` learns from the
 * satisfactory ones. Each round starts a fresh optimizer on the adapter as it is. Starts an engine, and closes it.
 *
 * @param run From `openRun` with the recipe's text; one that was opened to resume goes on where it stopped.
 * @throws UserError where model, data, judge or adapter cannot be used, where nothing is left to learn from, or more answers than allowed got no judgment
 * @throws Interrupted where `interrupt` asked for it; the run can be resumed
 */
export async function alignOnline(recipe: AlignRecipe, run: RunFolder, { progress = silentProgress, interrupt = { requested: false }, say = () => undefined }: AlignHooks = {}): Promise<Aligned> {
  const model = await loadModel(recipe.model, { ...(recipe.template === undefined ? {} : { template: recipe.template }), log: say });
  const method = methodOf(recipe.method as MethodOptions);
  const { train: prompts } = await loadData(recipe.data, 'prompt');
  const { prompts: path, judge: independent, limit, ...sampling } = recipe.evaluate;
  const { train: held } = await loadData({ ...recipe.data, path, eval: undefined, limit }, 'prompt');
  await sameAsBefore(run.path('work', 'prompts.json'), [prompts, held], 'The prompts are not those');
  const start = await startAdapter(recipe.adapter, model.checkpoint);
  const { plan } = start;
  await holdStart(start, recipe.adapter, run);
  for (const line of describeStart(recipe.adapter)) say(line);
  const engine = await startEngine();
  try {
    const reward = await openReward(rewardOfJudge(independent ?? recipe.judge), { engine, log: say });
    const teacher = await openRoundJudge(recipe, { engine, progress, say, interrupt });
    const setup: IterationSetup = { recipe, run, engine, model, plan, progress, interrupt, say, method, prompts, teacher };
    const heldOut: HeldOut = { rows: held, reward, sampling: { ...sampling, seed: recipe.train.seed } };
    const before = await assess(setup, heldOut, 'before', start.parameters);
    const iterations: Iteration[] = [];
    let parameters = start.parameters ?? initialParameters(plan, recipe.train.seed);
    let steps = 0;
    let resumedFrom: number | undefined;
    for (let k = 1; k <= recipe.loop.iterations; k++) {
      const done = await iterate(setup, { k, answering: k > 1 ? parameters : start.parameters, initial: parameters, offset: steps });
      iterations.push(done.iteration);
      parameters = done.parameters;
      steps += done.steps;
      resumedFrom ??= done.resumedFrom;
      if (interrupt.requested) throw new Interrupted(`Stopped after iteration ${k}; go on with --resume.`);
    }
    const after = await assess(setup, heldOut, 'after', parameters);

    await saveAdapter(run.adapterDir, { plan, parameters, checkpoint: model.checkpoint, modelId: recipe.model });
    await run.samples.truncateAfter(steps);
    // Behind the last step: a resume drops them and writes them again.
    logAnswers(run, 'before', before, steps + 1);
    logAnswers(run, 'after', after, steps + 1);
    return { before, after, iterations, peakRssMb: Math.round((await engine.memory()).peakRss / 2 ** 20), ...(resumedFrom === undefined ? {} : { resumedFrom }) };
  } finally {
    progress.stop();
    await engine.close();
  }
}

/** Writes `summary.json` and `report.html` of an alignment into its run folder; returns the path of the report. */
export async function finishAlignment(run: RunFolder, summary: object): Promise<string> {
  await run.writeSummary(summary);
  return writeReport(run.dir);
}
