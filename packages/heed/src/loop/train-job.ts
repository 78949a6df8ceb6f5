import { view } from '@heed/tensor';
import { openEngine } from '../cluster/open.js';
import { listProblems } from '../data/problem.js';
import { describeUnused, leftOver } from '../data/unused.js';
import type { AnyRow } from '../data/rows.js';
import { initialParameters } from '../model/adapter.js';
import { loadModel } from '../model/load.js';
import { describeRounding, roundingLoss } from '../model/rounding.js';
import { saveAdapter } from '../model/peft.js';
import { clockOf } from '../run/clock.js';
import { writeSummary } from '../run/finished.js';
import type { RunFolder } from '../run/folder.js';
import { type Hooks, type Summary, peakRssMb } from '../run/job.js';
import { silentProgress } from '../run/progress.js';
import { createRandom } from '../run/random.js';
import { writeReport } from '../run/report/write.js';
import { stoppable } from '../run/signals.js';
import type { Estimate } from '../run/statistics.js';
import { createRespond } from '../text/respond.js';
import { type Evaluation, changes, createLossEvaluator } from '../train/evaluate-loss.js';
import { checkMemory } from '../train/memory.js';
import { countSteps, describeLength, fileOrder, lengthOfRun } from '../train/order.js';
import { describeReach } from '../train/reach.js';
import { createTrainer } from '../train/trainer.js';
import { createAnswerer } from './answerer.js';
import { withWayOn } from './device-failure.js';
import { requireMemory } from './dry-run.js';
import { describeEndings, endOfTurn, endedResponses } from './endings.js';
import { logHeatmaps } from './heatmap.js';
import { judgmentFlags, quotes, remarks } from './judgment-flags.js';
import { describeRepeated, describeRows, limitsOf, loadRows, prepare, requireFit, requireHeld, requireKept } from './items.js';
import { runLoop } from './loop.js';
import { openMethod } from './method-of.js';
import { openRowMaker, requireEnoughMade, requireRead } from './row-maker.js';
import { sameModel } from './same-model.js';
import { oneRound } from './source.js';
import { refreshedSource } from './sources/refreshed.js';
import { describeStart, holdStart, startAdapter } from './start.js';
import { promptsToShow, showAnswers } from './train-answers.js';
import type { TrainRecipe } from './train-recipe.js';

/**
 * What `summary.json` of a training run holds. `before`, `after`, `change`: the method's loss and metrics on held-out rows; absent without
 * `data.eval`.
 */
export interface TrainSummary extends Summary {
  readonly job: 'train';
  readonly method: string;
  readonly before?: Readonly<Record<string, number>>;
  readonly after?: Readonly<Record<string, number>>;
  readonly change?: Readonly<Record<string, Estimate>>;
  /**
   * The probability of the end of turn behind up to 16 of the responses that were learnt from, their geometric mean. Far lower after than
   * before, answers run to their limit. Absent where no response ended, or no language model is trained.
   */
  readonly endOfTurn?: { readonly before: number; readonly after: number };
  /** Rows held out. */
  readonly heldOut: number;
  /** Rows whose prompt was cut to `data.maxTokens`. */
  readonly truncated: number;
  /** Optimizer steps. */
  readonly steps: number;
  /** Of the last step, in the method's own unit. */
  readonly loss: number;
  /** Tokens that went through the model in training steps, since the last resume; those of a prompt that responses share count once. */
  readonly tokens: number;
  /** Seconds of training steps, since the last resume: without loading, references and evaluation. */
  readonly trainingSeconds: number;
}

/**
 * Runs a training recipe in a run folder: data → tokens → training → adapter, report, summary. Starts an engine, and closes it.
 *
 * @param run From `openRun` with the recipe's text; one that was opened to resume goes on from its last checkpoint.
 * @throws UserError where model, data, method or adapter do not fit together, or the loss at the first step is not what it must be
 * @throws Interrupted where `interrupt` asked for it; the run can be resumed
 */
export async function runTraining(recipe: TrainRecipe, run: RunFolder, hooks: Hooks = {}): Promise<TrainSummary> {
  const started = performance.now();
  const { progress = silentProgress, interrupt, say = () => undefined, shared } = hooks;
  const { seed } = recipe.train;
  const model = await loadModel(recipe.model, { template: recipe.template, precision: recipe.precision, now: clockOf(run), log: say });
  const method = await openMethod(recipe.method, run);
  const data = await loadRows(recipe.data, method);
  for (const line of describeUnused(leftOver(data.unused, model.template))) say(line);
  for (const line of describeRepeated(data)) say(line);
  const text = createRespond(model.template);
  const limits = limitsOf(recipe.data, method, model.architecture.context);
  const start = await startAdapter(recipe.adapter, model.checkpoint, method.heads);
  const { plan } = start;
  await holdStart(start, recipe.adapter, run);
  for (const line of describeStart(recipe.adapter)) say(line);
  const engine = await openEngine(recipe.cluster, { device: recipe.device, run, progress, say });
  try {
    const answerer = createAnswerer(engine, model, plan, hooks);
    const maker = recipe.rows ? openRowMaker(recipe.rows, { answerer, kind: method.row, run, seed, say }) : undefined;
    const options = recipe.train;

    // The policy that is trained writes parts of the rows, as it starts.
    const first = start.parameters === undefined || maker === undefined ? undefined : await engine.upload(start.parameters);
    const policy = first && view(first);
    const made = async (round: string, rows: readonly AnyRow[]): Promise<readonly AnyRow[]> =>
      (await maker?.make(round, rows, policy)) ?? rows;
    const selected = method.select(data.train, createRandom('select', seed));
    if (maker !== undefined) {
      requireRead(maker, selected, method, text);
      requireEnoughMade(maker, selected, method, limits);
    }
    const rows = await made('train', selected);
    requireFit(method, rows);
    const shown = promptsToShow(method, data.eval.length > 0 ? data.eval : selected, recipe.samples);
    const ready = prepare(rows, method, text, limits);
    const held = prepare(await made('eval', data.eval), method, text, limits);
    if (first !== undefined) await engine.free(first);
    const left = [...data.skipped, ...ready.skipped, ...held.skipped];
    if (left.length > 0) say(`skipped:\n${listProblems(left)}`);
    requireKept(method, rows, ready);
    requireHeld(data.eval, held);
    for (const line of describeRows(method, data.train.length, ready, selected.length)) say(line);
    for (const line of method.hinders(rows)) say(line);
    // Where every quoted word is flagged, there is nothing to warn of.
    const sure = method.flags?.quoted === true && rows.some(quotes);
    const flags = sure ? undefined : await judgmentFlags(engine, model, method, rows, progress);
    for (const line of flags === undefined ? [] : remarks(flags)) say(line);
    const memory = checkMemory({ model, method, items: ready.items, plan, options, held: held.items });
    // What a GPU has is not known: a run that it cannot hold ends with its own message.
    if (engine.device.kind === 'cpu') requireMemory(memory, say);
    await sameModel(run, model);
    const sequences = ready.items.flatMap((item) => Object.values(item.sequences).flat());
    const lost = run.resuming ? undefined : await roundingLoss(engine, model, sequences);
    if (lost !== undefined) say(describeRounding(recipe.precision, lost));

    for (const line of [...describeLength(ready.items.length, options), ...describeReach(ready.items.length, options)]) say(line);
    const count = ready.items.length;
    const order = recipe.data.shuffle === false
      ? fileOrder({ rows: count, batch: options.batch, ...lengthOfRun(count, options) }) : undefined;
    const refreshed = maker !== undefined && maker.every > 0;
    const source = refreshed
      ? refreshedSource({ maker, rows, items: ready.items, method, text, limits, options, order, say })
      : oneRound({ items: ready.items, rows, seed, order });
    await (refreshed ? answerer.rest() : answerer.release());
    const evaluator = held.items.length === 0
      ? undefined
      : await createLossEvaluator({ engine, model, method, plan, items: held.items, batch: options.batch, shared });
    const trainer = await createTrainer({
      // Made here and kept nowhere: as large as a quarter of the trained state, they would stay in memory beside it.
      engine, model, method, plan, options, parameters: start.parameters ?? initialParameters(plan, seed), moreRounds: source.rounds > 1,
      // Rows of later rounds are this run's own.
      shared: source.rounds === 1 ? shared : undefined,
    });
    const measure = async (): Promise<Evaluation | undefined> =>
      evaluator?.evaluate(
        { parameters: trainer.policy, copies: trainer.copies, memory: trainer.memory },
        stoppable(progress, interrupt, 'scoring held-out rows'),
      );
    const ended = endedResponses(ready.items, method, model);
    const ending = (): Promise<number | undefined> => endOfTurn(engine, model, { plan, parameters: trainer.policy }, ended);
    const before = await measure();
    const endedBefore = await ending();
    for (const line of trainer.describeReferences(countSteps(ready.items.length, options))) say(line);
    const { reports, tokens, seconds, resumedFrom } = await runLoop({
      source, trainer, run, options, fresh: false, untouched: start.parameters === undefined, hooks,
      onStep: (step, lesson) => logHeatmaps(run, step, lesson, model.tokenizer),
    });
    const after = await measure();
    const endedAfter = await ending();
    const unending = describeEndings(endedBefore, endedAfter);
    if (unending !== undefined) say(unending);
    const parameters = await trainer.parameters();
    await saveAdapter(run.adapterDir, { plan, parameters, checkpoint: model.checkpoint, modelId: recipe.model });
    await trainer.release();
    await showAnswers({
      engine, answerer, run, options: recipe.samples, prompts: shown, step: trainer.step,
      policies: { before: start.parameters, after: parameters },
    });
    const summary = await writeSummary<TrainSummary>(run, trainer.step, {
      job: 'train', method: method.name, model: recipe.model,
      rows: ready.items.length, heldOut: held.items.length, skipped: left.length, truncated: ready.truncated,
      steps: trainer.step, loss: reports.at(-1)!.loss!,
      before: before?.whole, after: after?.whole, change: before && after && changes(before, after, seed),
      endOfTurn: endedBefore !== undefined && endedAfter !== undefined ? { before: endedBefore, after: endedAfter } : undefined,
      tokens, trainingSeconds: seconds, seconds: (performance.now() - started) / 1000,
      peakRssMb: await peakRssMb(engine), resumedFrom, cluster: engine.rates?.summary(),
    });
    await writeReport(run.dir);
    return summary;
  } catch (error) {
    throw await withWayOn(error, run);
  } finally {
    progress.stop();
    await engine.close();
  }
}
