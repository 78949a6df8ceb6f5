import type { AnyRow, JudgedRow, PromptRow } from '../data/rows.js';
import { listProblems } from '../data/problem.js';
import { UserError } from '../errors.js';
import { reasons } from '../label/report.js';
import type { BoundMethod } from '../method/method.js';
import type { RunFolder } from '../run/folder.js';
import { createRandom } from '../run/random.js';
import { sameAsBefore } from '../run/same-as-before.js';
import { createRespond } from '../text/respond.js';
import { heatmapSamples } from '../train/heatmap.js';
import { type Item, limitsOf, prepare } from '../train/items.js';
import { freeState } from '../train/state.js';
import { train } from '../train/trainer.js';
import { type JudgedRound, type RoundJudge, counted } from './judging.js';
import { type AnsweredRow, answerPrompts, loadParameters, saveParameters } from './rounds.js';
import { type AlignSetup, openAnswerer } from './setup.js';

/** What every iteration works with. */
export interface IterationSetup extends AlignSetup {
  readonly method: BoundMethod;
  /** What the model answers, in every iteration anew. */
  readonly prompts: readonly PromptRow[];
  /** Who judges the answers. */
  readonly teacher: RoundJudge;
}

/** Where an iteration begins. */
export interface Beginning {
  /** The iteration, from 1. */
  readonly k: number;
  /** The adapter that answers; undefined for a fresh one, which changes nothing yet. */
  readonly answering: Float32Array | undefined;
  /** The adapter that training goes on from. */
  readonly initial: Float32Array;
  /** Steps done by the iterations before. */
  readonly offset: number;
}

/** What an iteration did. */
export interface Iteration {
  /** Answers with a judgment. */
  readonly answers: number;
  readonly satisfied: number;
  readonly trainedOn: number;
  readonly steps: number;
  /** Answers that a judge who was asked did not judge, by reason. */
  readonly unjudged?: Readonly<Record<string, number>>;
}

/** The adapter as an iteration leaves it. */
interface Learned {
  readonly parameters: Float32Array;
  readonly steps: number;
  /** The step that a resume went on from. */
  readonly resumedFrom?: number;
}

/** One iteration: the model answers the prompts, the teacher judges the answers, the method trains the adapter on them. */
export async function iterate(setup: IterationSetup, beginning: Beginning): Promise<Learned & { readonly iteration: Iteration }> {
  const { recipe, run, prompts, teacher, say } = setup;
  const { k } = beginning;
  const path = (name: string): string => run.path('work', `iteration-${k}`, name);
  const answers = await answer(setup, beginning, path('answers.jsonl'));
  const round = await teacher.judge(answers, prompts, path('judgments.json'));
  await sameAsBefore(path('rows.json'), round.rows, `The judgments of iteration ${k} are not those`);
  const lesson = prepareLesson(setup, k, answers.length, round.rows);
  const learned = await learn(setup, beginning, lesson, path('parameters.safetensors'));
  const iteration: Iteration = {
    answers: round.rows.length, satisfied: countSatisfied(round.rows), trainedOn: lesson.items.length, steps: learned.steps,
    ...(recipe.label === undefined ? {} : { unjudged: reasons(round.failures) }),
  };
  for (const line of describe(k, answers.length, round, iteration)) say(line);
  return { ...learned, iteration };
}

async function answer(setup: IterationSetup, { k, answering }: Beginning, file: string): Promise<AnsweredRow[]> {
  const { recipe, model, prompts, progress, interrupt } = setup;
  const { samples, ...decoding } = recipe.generate;
  progress.start(`iteration ${k}: answering`, prompts.length);
  const generator = await openAnswerer(setup, answering);
  const answers = await answerPrompts(file, prompts, model.template, generator, samples, { ...decoding, seed: recipe.train.seed + k }, { onProgress: (n) => progress.update(n), interrupt });
  await generator.release();
  progress.stop();
  return answers;
}

/** What an iteration learns from. */
interface Lesson {
  readonly rows: readonly AnyRow[];
  readonly items: readonly Item[];
}

/** Chooses among the judged answers as the method does. @throws UserError where nothing is left to train on */
function prepareLesson({ recipe, model, method, say }: IterationSetup, k: number, answers: number, judged: readonly JudgedRow[]): Lesson {
  const rows = method.select(rowsFor(method, judged), createRandom('select', recipe.train.seed, k));
  const { items, skipped, truncated } = prepare(rows, method, createRespond(model.template), limitsOf(recipe.data, method, model.architecture.context));
  if (skipped.length > 0) say(`iteration ${k}, skipped:\n${listProblems(skipped)}`);
  if (truncated > 0) say(`iteration ${k}: ${truncated} prompts cut.`);
  if (items.length === 0) {
    throw new UserError(`Iteration ${k} leaves nothing to train on: of ${answers} answers ${judged.length} were judged, ${countSatisfied(judged)} of them satisfactory; ${method.name} takes none of these rows.`, [
      'Where the judge is satisfied with all or with none, it cannot tell answers apart: look at its judgments, or teach it (docs/labels.md).',
    ]);
  }
  return { rows, items };
}

/** Judged rows as the method takes them: a method of conversations imitates the satisfactory answers. */
function rowsFor(method: BoundMethod, rows: readonly JudgedRow[]): readonly AnyRow[] {
  if (method.row !== 'conversation') return rows;
  return rows.filter((r) => r.satisfied).map(({ source, id, prompt, completion }) => ({
    source, ...(id === undefined ? {} : { id }), messages: [...prompt, { role: 'assistant' as const, content: completion }],
  }));
}

/** Trains and writes the adapter to `file`; a resumed run takes what it finds there. */
async function learn(setup: IterationSetup, { k, initial, offset }: Beginning, { rows, items }: Lesson, file: string): Promise<Learned> {
  const { recipe, run, engine, model, plan, method, progress, interrupt } = setup;
  const kept = run.resuming ? loadParameters(file) : undefined;
  if (kept !== undefined) return { parameters: kept, steps: await stepsOf(run, k) };
  const { state, parameters, steps, resumedFrom } = await train({
    engine, model, method, items, plan, initial, run, offset, label: { iteration: k }, progress, interrupt,
    options: { ...recipe.train, seed: recipe.train.seed + k },
    onStep({ step }, result, last) {
      if (last) for (const row of heatmapSamples(result.heatmaps, rows, model.tokenizer, step)) run.samples.append(row);
    },
  });
  await freeState(engine, state);
  await saveParameters(file, parameters);
  return { parameters, steps, ...(resumedFrom === undefined ? {} : { resumedFrom }) };
}

const stepsOf = async (run: RunFolder, k: number): Promise<number> => (await run.metrics.rows()).filter((row) => row['iteration'] === k).length;

const countSatisfied = (rows: readonly JudgedRow[]): number => rows.filter((r) => r.satisfied).length;

/** An iteration for people, as lines. */
function describe(k: number, answers: number, { rows, failures, asking }: JudgedRound, { satisfied, trainedOn, steps }: Iteration): string[] {
  const left = answers - rows.length - failures.length;
  const cut = left > 0 ? `, ${left} were cut off or empty` : '';
  const without = failures.length === 0 ? '' : `, ${failures.length} got no judgment (${counted(failures)})`;
  const cost = asking?.cost === undefined ? '' : `, cost ${asking.cost.toPrecision(3)}`;
  return [
    `iteration ${k}: ${satisfied} of ${rows.length} training answers satisfy the judge${cut}${without}; trained on ${trainedOn} rows in ${steps} steps.`,
    ...(asking === undefined ? [] : [`iteration ${k}: the judge was asked ${asking.asked} questions (${asking.promptTokens} tokens in, ${asking.completionTokens} out${cost}).`]),
  ];
}
