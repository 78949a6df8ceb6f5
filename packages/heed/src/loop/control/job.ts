/** `heed control` as a job. */
import { view } from '@heed/tensor';
import { type Controller, networkInput } from '../../control/controller.js';
import { saveController } from '../../control/file.js';
import { encode } from '../../control/features.js';
import { entropyOf, indexOfMost, probabilities } from '../../control/policy.js';
import { createPromptReader } from '../../control/readings.js';
import { at } from '../../data/source.js';
import { foreseeWriting } from '../../generate/memory.js';
import { openGenerator } from '../../generate/open.js';
import { openRunEngine } from '../../model/device.js';
import { loadModel } from '../../model/load.js';
import { loadAdapter } from '../../model/peft.js';
import type { Reward } from '../../reward/reward.js';
import { clockOf } from '../../run/clock.js';
import { closeAll } from '../../run/close-all.js';
import { writeSummary } from '../../run/finished.js';
import type { RunFolder } from '../../run/folder.js';
import { type Hooks, type Measured, type Summary, peakRssMb } from '../../run/job.js';
import { silentProgress } from '../../run/progress.js';
import { writeReport } from '../../run/report/write.js';
import type { Estimate } from '../../run/statistics.js';
import { sameAsBefore } from '../../run/same-as-before.js';
import type { AnswerSoFar } from '../../control/state.js';
import { logAnswer } from '../answer-sample.js';
import { withWayOn } from '../device-failure.js';
import type { AskTools, Later } from './answer-and-rate.js';
import { type Policy, type PolicyAnswers, answerHeldOut, change, measure } from './compare.js';
import { type Grid, searchGrid } from './grid.js';
import type { ControlRecipe } from './recipe.js';
import { type ControlRound, type Seen, learnRounds } from './rounds.js';
import { sameModel } from '../same-model.js';
import { startControl } from './start.js';
import { type TaskPrompt, openTaskRewards, readTasks } from './tasks.js';

/** Held-out prompts of one task. */
export interface TaskResult {
  readonly prompts: number;
  /** The task's own best fixed action, by its validation prompts. */
  readonly best: string;
  /** Mean rewards: of the best fixed action of all tasks, of the task's own, and of the controller. */
  readonly before: number;
  readonly own: number;
  readonly after: number;
}

/** What `summary.json` of a controller's training holds. `before`: the best fixed action; `after`: the controller. */
export interface ControlSummary extends Summary {
  readonly job: 'control';
  /** What `value` and `satisfied` are measured by, in words. */
  readonly metric: string;
  readonly before: NonNullable<Summary['before']>;
  readonly after: NonNullable<Summary['after']>;
  readonly change: Readonly<Record<string, Estimate>>;
  /** The likeliest tokens alone, where an action has temperature 0. */
  readonly greedy?: Readonly<Record<string, Measured>>;
  readonly heldOut: number;
  /** The best fixed action, and the mean reward of every action on the validation prompts. */
  readonly best: string;
  readonly grid: Readonly<Record<string, number>>;
  /** On the validation prompts, actions chosen on one half of the samples and valued on the other. */
  readonly headroom: Grid['headroom'] & { readonly worthwhile: boolean };
  /** The trained policy on the held-out prompts. */
  readonly policy: {
    /** Mean entropy before the answer begins, in nats. */
    readonly entropy: number;
    /** Share of its choices that are the best fixed action. */
    readonly agreement: number;
    /** How often it takes each action. */
    readonly actions: Readonly<Record<string, number>>;
  };
  readonly tasks: Readonly<Record<string, TaskResult>>;
  readonly rounds: readonly ControlRound[];
}

/** Two points, for rewards from 0 to 1: a smaller gain is lost in the noise of a controller. */
const LEAST_HEADROOM = 0.02;

/**
 * Trains a controller: the best fixed action by a grid search on validation prompts, then a network that chooses an action for each
 * prompt, by policy gradient over the recipe's rounds, then both on held-out prompts. The language model stays as it is. Starts an
 * engine, and closes it.
 *
 * @param run From `openRun` with the recipe's text; one that was opened to resume goes on where it stopped.
 * @throws UserError where model, data, rewards or adapter cannot be used, or more answers than allowed got no rating
 * @throws Interrupted where `interrupt` asked for it; the run can be resumed
 */
export async function runControl(recipe: ControlRecipe, run: RunFolder, hooks: Hooks = {}): Promise<ControlSummary> {
  const started = performance.now();
  const { progress = silentProgress, interrupt, say = () => undefined } = hooks;
  const { seed } = recipe.learn;
  const now = clockOf(run);
  const model = await loadModel(recipe.model, { template: recipe.template, precision: recipe.precision, now, log: say });
  const adapter = recipe.adapter === undefined ? undefined : await loadAdapter(recipe.adapter, model.checkpoint);
  const prompts = await readTasks(recipe, model, say);
  const { training, validation, heldOut, skipped } = prompts;
  await sameModel(run, model);
  await sameAsBefore(
    run.path('work', 'prompts.json'), [...training, ...validation, ...heldOut], 'The prompts are not those', ({ row }) => at(row.source),
  );
  const engine = await openRunEngine(run, { device: recipe.device, say });
  let rewards: ReadonlyMap<string, Reward> = new Map();
  try {
    rewards = await openTaskRewards(recipe, { engine, log: say, now, store: recipe.store, interrupt });
    await sameAsBefore(run.path('work', 'rewards.json'), [...rewards.values()].map(({ name }) => name), 'The rewards are not those');
    const loaded = adapter && { plan: adapter.plan, parameters: view(await engine.upload(adapter.parameters)) };
    const reader = createPromptReader(engine, model, loaded);
    const [seenTraining, seenHeldOut] = [await reader.read(tokensOf(training)), await reader.read(tokensOf(heldOut))];
    await reader.release();
    const start = await startControl(recipe, seenTraining, { model, adapter });
    const { encoder } = start;

    const prompts = [...tokensOf(training), ...tokensOf(heldOut)].map(({ length }) => length);
    const { maxNewTokens } = recipe.generate;
    const ways = { maxNewTokens: 'generate.maxNewTokens=', precision: 'precision=' };
    foreseeWriting(engine, [{ model, plan: adapter?.plan, batch: LIVE, prompts, maxNewTokens }], ways, say);
    const generator = await openGenerator(engine, model, { batch: LIVE, adapter });
    const tools: AskTools = { recipe, model, generator, rewards, run, hooks };
    const grid = await searchGrid(tools, validation);
    const worthwhile = grid.headroom.headroom >= LEAST_HEADROOM;
    say(describeGrid(grid, worthwhile));

    const names = Object.keys(recipe.actions);
    const learner = start.learner(grid.best);
    const { shape } = learner;
    const { actions, learn: { segment = 0 } } = recipe;
    const seen = training.map((prompt, x): Seen => {
      const encoded = encode(encoder, seenTraining[x]!, prompt.task);
      return { prompt, encoded, features: networkInput({ actions, segment }, encoded) };
    });
    const { reports, resumedFrom } = await learnRounds(tools, learner, seen, grid);

    const controller: Controller = { actions, encoder, segment, shape, parameters: learner.parameters };
    await saveController(run.path('controller'), controller, { model, adapter });
    const policy = heldOut.map(({ task }, x) => likeliest(controller, encode(encoder, seenHeldOut[x]!, task)));
    const chosen = policy.map(({ action }) => action);
    const greedy = names.find((name) => isGreedy(recipe.actions[name]!));
    const answers = await answerHeldOut(tools, heldOut, {
      before: heldOut.map(() => ({ action: grid.best })),
      own: heldOut.map(({ task }) => ({ action: grid.bestOf.get(task)! })),
      after: policy,
      ...(greedy === undefined ? {} : { greedy: heldOut.map(() => ({ action: greedy })) }),
    });
    const [before, own, after] = ['before', 'own', 'after'].map((name) => answers[name]!) as [PolicyAnswers, PolicyAnswers, PolicyAnswers];
    // Behind the last round, so that a resume drops the answers and writes them again.
    await run.samples.truncateAfter(recipe.learn.rounds);
    logAnswers(run, recipe.learn.rounds + 1, heldOut, chosen, { before, after });
    const summary = await writeSummary<ControlSummary>(run, recipe.learn.rounds, {
      job: 'control', model: recipe.model, rows: training.length + validation.length, skipped, heldOut: heldOut.length,
      metric: `mean reward of held-out answers: before, ${grid.best} for every prompt; after, the controller`,
      before: measure(before, seed),
      after: measure(after, seed),
      change: change(before, after, seed),
      greedy: answers['greedy'] && measure(answers['greedy'], seed),
      best: grid.best, grid: grid.means, headroom: { ...grid.headroom, worthwhile },
      policy: describePolicy(controller, policy.map(({ entropy }) => entropy), chosen, after, grid.best),
      tasks: tasksOf(Object.keys(recipe.tasks), heldOut, grid, { before, own, after }),
      rounds: reports,
      seconds: Math.round((performance.now() - started) / 100) / 10,
      peakRssMb: await peakRssMb(engine),
      resumedFrom,
    });
    await writeReport(run.dir);
    return summary;
  } catch (error) {
    throw await withWayOn(error, run);
  } finally {
    progress.stop();
    await closeAll(...[...rewards.values()].map((reward) => () => reward.close()), () => engine.close());
  }
}

/** The likeliest action for a prompt, and in mid-answer where the controller chooses again; and the policy's entropy before the answer. */
function likeliest(controller: Controller, encoded: readonly number[]): Policy[number] & { readonly entropy: number } {
  const { actions, segment, shape, parameters } = controller;
  const names = Object.keys(actions);
  const choose = (sofar?: AnswerSoFar): Later & { readonly entropy: number } => {
    const features = networkInput(controller, encoded, sofar);
    const p = probabilities(shape, parameters, features);
    const action = indexOfMost(p);
    return { features, action, probability: p[action]!, entropy: entropyOf(p) };
  };
  const first = choose();
  const steer = segment === 0 ? {} : { steer: { every: segment, choose } };
  return { action: names[first.action]!, entropy: first.entropy, ...steer };
}

function describePolicy(
  { actions }: Controller, entropies: readonly number[], chosen: readonly string[], after: PolicyAnswers, best: string,
): ControlSummary['policy'] {
  const names = Object.keys(actions);
  // Every choice counts: that before the answer, and those in the middle of each sample of it.
  const taken = after.flatMap((answers, x) => answers.flatMap(({ later }) => [chosen[x]!, ...later.map(({ action }) => names[action]!)]));
  const share = (name: string): number => taken.filter((one) => one === name).length / taken.length;
  return {
    entropy: entropies.reduce((sum, h) => sum + h, 0) / entropies.length,
    agreement: share(best),
    actions: Object.fromEntries(names.map((name) => [name, share(name)])),
  };
}

/** Sequences that are generated at the same time. */
const LIVE = 32;

const tokensOf = (prompts: readonly TaskPrompt[]): (readonly number[])[] => prompts.map(({ tokens }) => tokens);

/** Whether an action takes the likeliest token and nothing else. */
const isGreedy = (action: ControlRecipe['actions'][string]): boolean =>
  action.temperature === 0 && action.noRepeatNgram === undefined && action.badWords === undefined && action.endBias === undefined;

function describeGrid({ best, means, headroom: { fixed, perPrompt, headroom }, prompts }: Grid, worthwhile: boolean): string {
  const all = Object.entries(means).sort(([, a], [, b]) => b - a).map(([name, value]) => `${name} ${value.toFixed(3)}`).join(', ');
  const gain = `choosing per prompt could gain ${headroom.toFixed(3)} (${fixed.toFixed(3)} → ${perPrompt.toFixed(3)})`;
  return `The best fixed action on ${prompts} validation prompts is ${best}: ${all}. By split halves, ${gain}`
    + (worthwhile ? '.' : `, less than ${LEAST_HEADROOM}: a controller has next to nothing to learn here.`);
}

type Answers = Readonly<Record<'before' | 'own' | 'after', PolicyAnswers>>;

function tasksOf(names: readonly string[], prompts: readonly TaskPrompt[], grid: Grid, answers: Answers): Record<string, TaskResult> {
  return Object.fromEntries(names.map((task) => {
    const mean = (all: PolicyAnswers): number => {
      const values = all.flatMap((one, x) => (prompts[x]!.task === task ? one.flatMap(({ value }) => value ?? []) : []));
      return values.reduce((a, b) => a + b, 0) / values.length;
    };
    const { before, own, after } = answers;
    const result: TaskResult = {
      prompts: prompts.filter((one) => one.task === task).length, best: grid.bestOf.get(task)!,
      before: mean(before), own: mean(own), after: mean(after),
    };
    return [task, result];
  }));
}

/** Writes the first answer of each policy to each held-out prompt to the run's samples. */
function logAnswers(
  run: RunFolder, step: number, prompts: readonly TaskPrompt[], chosen: readonly string[], answers: Omit<Answers, 'own'>,
): void {
  for (const when of ['before', 'after'] as const) {
    for (const [x, { task, row }] of prompts.entries()) {
      const { text: response, value, satisfied } = answers[when][x]![0]!;
      logAnswer(run, {
        when, step, id: row.id ?? String(row.source.line), prompt: row.prompt, response, verdict: satisfied ?? value ?? 'no rating',
        reason: when === 'after' ? `${task}: the controller chose ${chosen[x]}` : task,
      });
    }
  }
}
