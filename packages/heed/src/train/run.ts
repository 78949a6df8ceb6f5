import { startEngine, view } from '@heed/tensor';
import { loadData } from '../data/load.js';
import { listProblems } from '../data/problem.js';
import type { AnyRow } from '../data/rows.js';
import { type MethodOptions, methodOf } from '../method/index.js';
import { initialParameters } from '../model/adapter.js';
import { loadModel } from '../model/load.js';
import { saveAdapter } from '../model/peft.js';
import type { RunFolder } from '../run/folder.js';
import { type Progress, silentProgress } from '../run/progress.js';
import { createRandom } from '../run/random.js';
import { stoppable } from '../run/signals.js';
import type { Estimate } from '../run/statistics.js';
import { writeReport } from '../run/report/write.js';
import { createRespond } from '../text/respond.js';
import type { RowsOptions } from './row-recipe.js';
import { refreshBy, requireRead } from './remake.js';
import type { RowMaker, RowMakerSetup } from './row-maker.js';
import { changes, createLossEvaluator } from './evaluate-loss.js';
import { renderMemory } from './dry-run.js';
import { heatmapSamples } from './heatmap.js';
import { describeTies, limitsOf, prepare, requireFit, requireHeld, requireKept } from './items.js';
import { checkMemory } from './memory.js';
import type { TrainRecipe } from './recipe.js';
import { averagesOf } from './references.js';
import { describeStart, holdStart, startAdapter } from './start.js';
import { train } from './trainer.js';

/** How a training run talks to whoever started it, and who writes rows for it. */
export interface TrainRunOptions {
  /** Default: shows nothing. */
  readonly progress?: Progress;
  /** Set `requested` to have the run stop after the step under way, with a checkpoint. */
  readonly interrupt?: { readonly requested: boolean };
  /** Opens what `rows` of a recipe says; needed where it says anything. `openRowMaker` of the loops does. */
  openMaker?(options: RowsOptions, setup: RowMakerSetup): RowMaker;
  /** A line for people about what was chosen, skipped or cut. */
  say?(line: string): void;
}

/** What `summary.json` of a training run holds. */
export interface TrainSummary {
  readonly method: string;
  readonly model: string;
  /** Rows learnt from. */
  readonly rows: number;
  /** Rows left out, to learn from and held out. */
  readonly skipped: number;
  /** Rows whose prompt was cut to `data.maxTokens`. */
  readonly truncated: number;
  /** Optimizer steps. */
  readonly steps: number;
  /** Of the last step, in the method's own unit. */
  readonly loss: number;
  /** The method's loss and metrics on the rows held out, before and after, and their paired change; absent without `data.eval`. */
  readonly eval?: {
    readonly before: Readonly<Record<string, number>>;
    readonly after: Readonly<Record<string, number>>;
    readonly change: Readonly<Record<string, Estimate>>;
    readonly rows: number;
  };
  /** Tokens that went through the model in training steps (since the last resume); those of a prompt that responses share count once. */
  readonly tokens: number;
  /** From the first training step to the end of the last (since the last resume), without loading, references and evaluation. */
  readonly seconds: number;
  /** Largest resident size of the process, in MiB. */
  readonly peakRssMb: number;
  /** The step after which a resumed run went on. */
  readonly resumedFrom?: number;
}

/**
 * Runs a training recipe in a run folder: data → tokens → training → adapter, report, summary. Starts an engine, and closes it.
 *
 * @param run From `openRun` with the recipe's text; one that was opened to resume goes on from its last checkpoint.
 * @throws UserError where model, data, method or adapter do not fit together, or the loss at the first step is not what it must be
 * @throws Interrupted where `interrupt` asked for it; the run can be resumed
 */
export async function runTraining(recipe: TrainRecipe, run: RunFolder, { progress = silentProgress, interrupt, openMaker, say = () => undefined }: TrainRunOptions = {}): Promise<TrainSummary> {
  const model = await loadModel(recipe.model, { ...(recipe.template === undefined ? {} : { template: recipe.template }), log: say });
  const method = methodOf(recipe.method as MethodOptions);
  const data = await loadData(recipe.data, method.row);
  const text = createRespond(model.template);
  const limits = limitsOf(recipe.data, method, model.architecture.context);
  const start = await startAdapter(recipe.adapter, model.checkpoint, method.head);
  const { plan } = start;
  await holdStart(start, recipe.adapter, run);
  for (const line of describeStart(recipe.adapter)) say(line);
  const engine = await startEngine();
  try {
    if (recipe.rows && openMaker === undefined) throw new Error('The recipe has rows that the model writes; give runTraining an openMaker.');
    const maker = recipe.rows ? openMaker?.(recipe.rows, { engine, model, plan, kind: method.row, run, seed: recipe.train.seed, progress, say, ...(interrupt === undefined ? {} : { interrupt }) }) : undefined;
    // The policy that is trained writes them, as it starts.
    const made = async (round: string, rows: readonly AnyRow[]): Promise<readonly AnyRow[]> => (await maker?.make(round, rows, start.parameters)) ?? rows;
    const selected = method.select(data.train, createRandom('select', recipe.train.seed));
    if (maker !== undefined) requireRead(maker, selected, method, text);
    const chosen = await made('train', selected);
    requireFit(method, chosen);
    const items = prepare(chosen, method, text, limits);
    const held = prepare(await made('eval', data.eval), method, text, limits);
    const left = [...data.skipped, ...items.skipped, ...held.skipped];
    if (left.length > 0) say(`skipped:\n${listProblems(left)}`);
    requireKept(method, chosen, items);
    requireHeld(data.eval, held);
    const skipped = left.length;
    say(`${method.name}: ${items.items.length} of ${data.train.length} rows to learn from${skipped > 0 ? `, ${skipped} skipped` : ''}${items.truncated > 0 ? `, ${items.truncated} prompts cut` : ''}${items.unused > 0 ? `, ${items.unused} left out: ${method.unused}` : ''}.`);
    for (const line of describeTies(items)) say(line);
    const memory = checkMemory({ model, method, items: items.items, plan, options: recipe.train, held: held.items });
    if (!memory.fits) for (const line of renderMemory(memory)) say(line);
    const evaluator = held.items.length > 0 ? await createLossEvaluator({ engine, model, method, plan, items: held.items, batch: recipe.train.batch }) : undefined;
    const fresh = evaluator && view(await engine.upload(start.parameters ?? initialParameters(plan, recipe.train.seed)));
    const scoring = stoppable(progress, interrupt, 'scoring held-out rows');
    const before = fresh && (await evaluator.evaluate({ parameters: fresh, averages: Object.fromEntries(averagesOf(method).map((name) => [name, fresh])) }, scoring));
    const trained = await train({
      engine, model, method, items: items.items, plan, options: recipe.train, run, progress, ...(start.parameters === undefined ? {} : { initial: start.parameters }),
      ...(interrupt === undefined ? {} : { interrupt }), say,
      ...(maker === undefined || maker.every === 0 ? {} : { refresh: refreshBy(maker, engine, chosen, method, text, limits, say) }),
      onStep({ step }, result, last) {
        if (step > 1 && !last) return;
        for (const row of heatmapSamples(result.heatmaps, chosen, model.tokenizer, step)) run.samples.append(row);
      },
    });
    const after = evaluator && (await evaluator.evaluate({ ...trained.state, memory: trained.memory }, scoring));
    await saveAdapter(run.adapterDir, { plan, parameters: trained.parameters, checkpoint: model.checkpoint, modelId: recipe.model });
    const summary: TrainSummary = {
      method: method.name, model: recipe.model, rows: items.items.length, skipped, truncated: items.truncated,
      steps: trained.steps, loss: trained.loss,
      ...(before === undefined || after === undefined ? {} : { eval: { before: before.whole, after: after.whole, change: changes(before, after, recipe.train.seed), rows: held.items.length } }),
      tokens: trained.tokens, seconds: trained.seconds, peakRssMb: Math.round((await engine.memory()).peakRss / 2 ** 20),
      ...(trained.resumedFrom === undefined ? {} : { resumedFrom: trained.resumedFrom }),
    };
    await run.writeSummary(summary);
    await writeReport(run.dir);
    return summary;
  } finally {
    progress.stop();
    await engine.close();
  }
}
