import { view } from '@heed/tensor';
import { openEngine } from '../cluster/open.js';
import { changeOf, measurements } from '../evaluate/measurements.js';
import { UserError } from '../errors.js';
import { initialParameters } from '../model/adapter.js';
import { DEFAULT_STORE } from '../label/recipe.js';
import { type UsageTotals, serverLines } from '../label/usage.js';
import { loadModel } from '../model/load.js';
import { scoresTexts } from '../method/method.js';
import { saveAdapter } from '../model/peft.js';
import { describeRounding, roundingLoss } from '../model/rounding.js';
import { describeReward, openReward } from '../reward/open.js';
import type { Reward } from '../reward/reward.js';
import { clockOf } from '../run/clock.js';
import { closeAll } from '../run/close-all.js';
import { writeSummary } from '../run/finished.js';
import type { RunFolder } from '../run/folder.js';
import { type Hooks, type Summary, peakRssMb } from '../run/job.js';
import { silentProgress } from '../run/progress.js';
import { filters } from '../generate/options.js';
import { samplingIn } from '../run/recipe-schemas.js';
import { sameAsBefore } from '../run/same-as-before.js';
import { writeReport } from '../run/report/write.js';
import type { Estimate } from '../run/statistics.js';
import { type KnownTokens, createRespond } from '../text/respond.js';
import { checkMemory } from '../train/memory.js';
import { createTrainer } from '../train/trainer.js';
import { type AlignRecipe, type RatedBy, heldOutRewardOf, rewardOf } from './align-recipe.js';
import { openAdversary } from './adversary.js';
import { loadAlignPrompts, samePrompts } from './align-prompts.js';
import { createAnswerer } from './answerer.js';
import { foreseeAnswers } from './answers-memory.js';
import type { RoundReport } from './checkpoints.js';
import { type OpenConstraint, openConstraints, ratedBy } from './constraints.js';
import { requireTokenCredit } from './credit.js';
import { withWayOn } from './device-failure.js';
import { requireMemory } from './dry-run.js';
import { logHeatmaps } from './heatmap.js';
import { type HeldOut, assess, logAnswers } from './held-out.js';
import { limitsOf } from './items.js';
import { runLoop } from './loop.js';
import { openMethod } from './method-of.js';
import { watchMismatch } from './mismatch.js';
import type { WentBack } from './record.js';
import { requireRowsFromAnswers } from './requirements.js';
import { requireCredit, requireRollouts } from './rollout-requirements.js';
import { type RowMaker, openRowMaker } from './row-maker.js';
import type { Maker } from './rows-of.js';
import { areWritten } from './rows-recipe.js';
import { createSampler } from './sampler/sampler.js';
import { sameModel } from './same-model.js';
import type { Source } from './source.js';
import { type AnsweredRound, answeredSource } from './sources/answered.js';
import { type JudgedRound, judgedSource } from './sources/judged.js';
import { type RolloutRound, rolloutSource } from './sources/rollouts.js';
import { describeStart, holdStart, startAdapter } from './start.js';
import { openTeacher } from './teaching.js';
import type { Alarm } from './alarms.js';
import { openWatch } from './watch.js';

/** What `summary.json` of an alignment holds. `before` and `after`: the answers to held-out prompts, by `measurements`. */
export interface AlignSummary extends Summary {
  readonly job: 'align';
  readonly method: string;
  /** What `satisfied` and `value` are measured by, in words. */
  readonly metric: string;
  readonly before: NonNullable<Summary['before']>;
  readonly after: NonNullable<Summary['after']>;
  readonly change: Readonly<Record<string, Estimate>>;
  readonly heldOut: number;
  readonly rounds: readonly (RoundReport & (JudgedRound | AnsweredRound | RolloutRound))[];
  /** Signs that the reward rose for another reason than better answers. */
  readonly alarms: readonly Alarm[];
  /** Where an alarm ended the run: the policy that the adapter holds, and the one that is not kept. */
  readonly wentBack?: WentBack;
  /** What this process asked the judge that teaches, and what that cost. Absent where no judge is asked. */
  readonly asking?: Readonly<UsageTotals>;
  readonly steps: number;
}

/**
 * The online loop. In each round the model answers the prompts, a reward rates the answers, and the method trains the adapter on rows made
 * of the rated answers. Any method works whose rows can be made that way (`rows-of.ts`). Starts an engine, and closes it.
 *
 * @param run From `openRun` with the recipe's text; one that was opened to resume goes on where it stopped.
 * @throws UserError where model, data, reward, method or adapter cannot be used, where nothing is left to learn from, or more answers than
 * allowed got no rating
 * @throws Interrupted where `interrupt` asked for it; the run can be resumed
 */
export async function runAlignment(recipe: AlignRecipe, run: RunFolder, hooks: Hooks = {}): Promise<AlignSummary> {
  const started = performance.now();
  const { progress = silentProgress, interrupt, say = () => undefined } = hooks;
  const { seed } = recipe.train;
  const now = clockOf(run);
  const model = await loadModel(recipe.model, { template: recipe.template, precision: recipe.precision, now, log: say });
  const bound = await openMethod(recipe.method, run);
  const rollouts = bound.credit !== undefined;
  const drawn = samplingIn(recipe.generate);
  // A policy gradient compares distributions that answers were drawn from: temperature and filters belong to them.
  const method = rollouts ? { ...bound, temperature: drawn.temperature, filtered: filters(drawn) } : bound;
  const sampling = { ...drawn, ...(method.filtered ? { reportKept: true } : {}) };
  requireTokenCredit(recipe.credit, method);
  requireCredit(recipe, method);
  if (rollouts) requireRollouts(recipe, method);
  if (scoresTexts(method)) {
    throw new UserError(
      `method: ${method.name} trains a head that scores texts and does not write them, so there are no answers to learn from.`,
      ['Train it on a file: heed train.'],
    );
  }
  const limits = limitsOf(recipe.data, method, model.architecture.context);
  const asked = await loadAlignPrompts(recipe, model, limits, rollouts, say);
  const { prompts, skipped, held, demonstrations } = asked;
  await sameModel(run, model);
  await samePrompts(run, [...prompts, ...held, ...(demonstrations ?? [])]);
  const start = await startAdapter(recipe.adapter, model.checkpoint, method.heads);
  const { plan } = start;
  await holdStart(start, recipe.adapter, run);
  for (const line of describeStart(recipe.adapter)) say(line);
  const engine = await openEngine(recipe.cluster, { device: recipe.device, run, progress, say });
  const opened: { close(): Promise<void> }[] = [];
  const closing = <T extends { close(): Promise<void> }>(one: T): T => {
    opened.push(one);
    return one;
  };
  try {
    const tools = { engine, log: say, now, store: recipe.store ?? DEFAULT_STORE, interrupt };
    const teaches = rewardOf(recipe);
    const open = async (spec: RatedBy): Promise<Reward> => closing(await openReward(spec, tools));
    const reward = teaches === undefined ? undefined : await open(teaches);
    const teacher = await openTeacher(recipe, asked, method, tools, hooks);
    if (teacher !== undefined) closing(teacher);
    const examiner = await open(heldOutRewardOf(recipe));
    const limited: OpenConstraint[] = [];
    for (const options of recipe.constraints ?? []) limited.push({ options, rated: await open(ratedBy(options)) });
    const taught = teacher ?? reward;
    const names = [taught, examiner, ...limited.map(({ rated }) => rated)].flatMap((one) => one?.name ?? []);
    await sameAsBefore(run.path('work', 'reward.json'), names, 'The reward is not the one');
    const constraints = openConstraints(limited, recipe.allowedFailures, run, hooks);
    const { endpoint } = recipe.generate;
    const sampler = endpoint && closing(createSampler(endpoint, { engine, model, modelId: recipe.model, plan, run, hooks }));
    const answerer = createAnswerer(engine, model, plan, hooks, sampler);
    const { samples, prompts: each } = recipe.generate;
    const watch = openWatch(recipe.watch, reward ?? {}, run, hooks);
    const shared = {
      rounds: recipe.loop.iterations, prompts, samples, sampling,
      method, seed, answerer, run, hooks, limits, length: recipe.train, text: (known?: KnownTokens) => createRespond(model.template, known),
    };
    const { maxNewTokens } = recipe.generate;
    const adversary = recipe.adversary
      && await openAdversary({ options: recipe.adversary, demonstrations: demonstrations!, engine, model, maxNewTokens, seed, run, hooks });
    // What a GPU has is not known.
    const foreseen = engine.device.kind === 'cpu';
    const foresee = (rowsOf?: Maker, maker?: RowMaker): void => {
      if (!foreseen) return;
      const memory = foreseeAnswers({
        model, method, plan, options: recipe.train, prompts, samples, maxNewTokens, text: shared.text(), limits, rowsOf, maker,
      });
      if (memory !== undefined) requireMemory(memory, say);
    };
    const rating = (): Source => {
      const rated = { ...shared, allowedFailures: recipe.allowedFailures, watch, constraints };
      if (rollouts) {
        foresee();
        const { credit, train: { batch, epochs = 1 } } = recipe;
        return rolloutSource({ ...rated, reward, adversary, tokenizer: model.tokenizer, credit, each: each ?? 8, batch, epochs });
      }
      const by = reward!;
      const { rows } = recipe;
      const maker = rows && areWritten(rows) ? openRowMaker(rows, { answerer, kind: method.row, run, seed, say }) : undefined;
      const rowsOf = requireRowsFromAnswers(method, prompts, samples, by, maker, rows);
      foresee(rowsOf, maker);
      return judgedSource({ ...rated, reward: by, each, maker, rowsOf });
    };
    const source = teacher === undefined ? rating() : answeredSource({ ...shared, each, teacher });
    const heldOut: HeldOut = {
      engine, model, answerer, rows: held, reward: examiner, sampling: { ...samplingIn(recipe.evaluate), seed }, run, hooks,
    };
    const untouched = start.parameters === undefined;
    const first = start.parameters && await engine.upload(start.parameters);
    const before = await assess(heldOut, 'before', first && view(first));
    const lost = run.resuming ? undefined
      : await roundingLoss(engine, model, before.answers.map(({ row, response }) => shared.text().respond(row.prompt, response)));
    if (lost !== undefined) say(describeRounding(recipe.precision, lost));
    if (first !== undefined) await engine.free(first);
    const trainer = await createTrainer({
      engine, model, method, plan, options: recipe.train, moreRounds: source.rounds > 1,
      parameters: start.parameters ?? initialParameters(plan, seed),
    });
    for (const line of trainer.describeReferences()) say(line);
    const compare = watchMismatch(say, endpoint !== undefined);
    const { reports, resumedFrom, wentBack } = await runLoop({
      source, trainer, run, options: recipe.train, fresh: recipe.loop.fresh, untouched, hooks,
      onLesson(k, { items }) {
        // How long the rows of a teacher become is known only when it has written them.
        if (foreseen && teacher !== undefined && k === 1 && items.length > 0)
          requireMemory(checkMemory({ model, method, items, plan, options: recipe.train }), say);
      },
      onStep(step, lesson) {
        logHeatmaps(run, step, lesson, model.tokenizer);
        compare(step);
      },
    });
    await trainer.finish();
    if (trainer.step === 0 && wentBack === undefined)
      say('No round taught anything: the adapter is as it began. Take a reward that tells the answers apart.');
    await adversary?.finish(run.path('critic'));
    const after = await assess(heldOut, 'after', trainer.policy);
    // A reward says the same of its servers when it is closed.
    for (const line of [...serverLines(teacher?.asking ?? {}), ...serverLines({ servers: sampler?.counts() })]) say(line);

    const parameters = await trainer.parameters();
    await saveAdapter(run.adapterDir, { plan, parameters, checkpoint: model.checkpoint, modelId: recipe.model });
    // Behind the last step, so that a resume drops the answers and writes them again.
    await run.samples.truncateAfter(trainer.step);
    logAnswers(run, 'before', before, trainer.step + 1);
    logAnswers(run, 'after', after, trainer.step + 1);
    const summary = await writeSummary<AlignSummary>(run, trainer.step, {
      job: 'align', method: method.name, model: recipe.model, rows: prompts.length, skipped: skipped.length, heldOut: held.length,
      metric: `${examiner.drawsLine ? 'share of held-out answers that satisfy' : 'mean reward of held-out answers by'} ${
        describeReward(heldOutRewardOf(recipe))}`,
      before: measurements(before),
      after: measurements(after),
      change: changeOf(before, after, seed),
      rounds: reports as AlignSummary['rounds'],
      alarms: [...watch.alarms(), ...(adversary?.alarms() ?? [])],
      ...(wentBack && { wentBack }),
      ...(taught?.asking && { asking: taught.asking }),
      steps: trainer.step,
      seconds: Math.round((performance.now() - started) / 100) / 10,
      peakRssMb: await peakRssMb(engine),
      resumedFrom,
      cluster: engine.rates?.summary(),
    });
    await writeReport(run.dir);
    return summary;
  } catch (error) {
    throw await withWayOn(error, run);
  } finally {
    progress.stop();
    // The engine also where its workers are lost, and have nothing to release any more: they would keep the process alive.
    await closeAll(...opened.map((one) => () => one.close()), () => engine.close());
  }
}
