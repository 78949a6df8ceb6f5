import { existsSync } from 'node:fs';
import type { PromptRow } from '../data/rows.js';
import { UserError } from '../errors.js';
import type { Generator } from '../generate/generator.js';
import type { Completion } from '../generate/request.js';
import type { SamplingOptions } from '../generate/options.js';
import { describeWaiting, waitingFor } from '../judge/human.js';
import { type Failure, failed, reasonsOf } from '../judge/respondent.js';
import type { Model } from '../model/load.js';
import type { Scorer } from '../model/scorer.js';
import type { Rated, Reward } from '../reward/reward.js';
import { atomicWrite } from '../run/files.js';
import { readKept } from '../run/json-file.js';
import { type Estimate, bootstrapInterval, medianOf, proportionInterval } from '../run/statistics.js';
import { Waiting } from '../run/waiting.js';
import { words } from '../text/words.js';
import { distinct } from './fluency.js';

/** One answer to a prompt, with what a reward said of it. */
export interface Answer {
  readonly row: PromptRow;
  readonly response: string;
  readonly tokens: readonly number[];
  readonly finish: 'stop' | 'length';
  readonly rated: Rated | Failure;
}

/** Measures of text in which no reward has a part: they show when a model gets a better reward by writing worse. */
export interface Fluency {
  /** Median words of an answer. */
  readonly medianWords: number;
  /** Different pairs of neighbouring words over all pairs. */
  readonly distinct2: number;
  /** Mean log-probability of an answer's tokens under the base model, natural logarithm. */
  readonly logprobPerToken: number;
  /** Share of answers that were cut off at the length limit. */
  readonly unfinished: number;
}

/** How well answers fared: with a reward, and by measures in which it has no part. Means are over the answers that have a rating. */
export interface AnswerReport {
  readonly answers: readonly Answer[];
  /** The mean reward, with a 95 % bootstrap interval. */
  readonly value: Estimate;
  /** Share of satisfactory answers, with Wilson's 95 % interval; absent where the reward draws no line. */
  readonly satisfied?: Estimate;
  /** Findings an answer, with a 95 % bootstrap interval; absent where the reward names no places. */
  readonly findings?: Estimate;
  /** Answers without a rating, by reason. They count neither as good nor as bad. */
  readonly failures: Readonly<Record<string, number>>;
  /** Over all answers. */
  readonly fluency: Fluency;
}

export interface EvaluationParts {
  readonly model: Model;
  readonly generator: Pick<Generator, 'generate'>;
  /** Scores under the base model; left out where the generator is the base, which then scored its answers as it wrote them. */
  readonly scorer?: Scorer;
  readonly reward: Reward;
  readonly rows: readonly PromptRow[];
  readonly sampling: SamplingOptions;
  /**
   * A file that keeps the answers: where it is there, nothing is answered again. The caller sees to it that it belongs to these rows, this
   * model and this sampling.
   */
  readonly keptIn?: string;
  /** Aborts the rating. */
  readonly signal?: AbortSignal;
  onProgress?(finished: number, total: number): void;
  /** The answers are there, and something else begins with them: `onProgress` counts from 0 again. */
  onStage?(doing: string, total: number): void;
}

/**
 * Lets the model (with whatever adapter the generator has) answer every prompt, and has the answers rated and measured.
 *
 * @throws UserError where no answer got a rating
 */
export async function evaluateAnswers(
  { model, generator, scorer, reward, rows, sampling, keptIn, signal, onProgress, onStage }: EvaluationParts,
): Promise<AnswerReport> {
  const prompts = rows.map((row) => model.template.prompt(row.prompt));
  const completions = await keptCompletions(keptIn, () => generator.generate(prompts.map((prompt, row) => ({ prompt, row })), sampling, {
    onProgress: ({ finished, total }) => onProgress?.(finished, total),
  }));
  const items = rows.map((row, i) => ({ prompt: row.prompt, response: completions[i]!.text, ids: completions[i]!.ids, row }));
  onStage?.('rating the answers', items.length);
  const rated = await reward.rate(items, { signal, onProgress });
  const answers = rows.map((row, i): Answer => {
    const { text, ids, finish } = completions[i]!;
    return { row, response: text, tokens: ids, finish, rated: rated[i]! };
  });
  const sequences = answers.flatMap(({ tokens }, i) => (tokens.length === 0 ? [] : [{ prompt: prompts[i]!, response: tokens }]));
  if (scorer !== undefined) onStage?.('measuring how fluent the answers are', sequences.length);
  const scored = scorer && (await scorer.logProbs(sequences, (done) => onProgress?.(done, sequences.length)));
  const logprobs = scored?.flat().map((x) => x!) ?? completions.flatMap((c) => c.logprobs);
  const { unfinished, ...plain } = plainMeasures(completions);
  return {
    answers,
    ...(await summarise(reward.name, rated)),
    fluency: { ...plain, logprobPerToken: logprobs.reduce((a, b) => a + b, 0) / logprobs.length, unfinished },
  };
}

/** The measures that need no model. */
export function plainMeasures(
  completions: readonly Pick<Completion, 'text' | 'finish'>[],
): Pick<Fluency, 'medianWords' | 'distinct2' | 'unfinished'> {
  const texts = completions.map(({ text }) => text);
  return {
    medianWords: medianOf(texts.map((text) => words(text).length)),
    distinct2: distinct(texts, 2),
    unfinished: completions.filter(({ finish }) => finish === 'length').length / completions.length,
  };
}

/**
 * What a reward said of answers, in numbers.
 *
 * @throws UserError where none has a rating
 */
export async function summarise(
  name: string, rated: readonly (Rated | Failure)[],
): Promise<Pick<AnswerReport, 'value' | 'satisfied' | 'findings' | 'failures'>> {
  const good = rated.filter((one): one is Rated => !failed(one));
  const failures = reasonsOf(rated.filter(failed));
  if (good.length === 0) {
    const waiting = await waitingFor(rated.filter(failed));
    if (waiting !== undefined) throw new Waiting(`${describeWaiting(waiting)}.`);
    const first = rated.find(failed)!;
    const counts = Object.entries(failures).map(([reason, n]) => `${reason} ${n}`).join(', ');
    throw new UserError(`None of ${rated.length} answers got a rating from ${name}: ${counts}.`, [`The first: ${first.detail}`]);
  }
  const lined = good.flatMap(({ satisfied }) => satisfied ?? []);
  const areVerdicts = good.every(({ value, satisfied }) => value === Number(satisfied));
  const placed = good.flatMap(({ findings }) => findings?.length ?? []);
  return {
    value: bootstrapInterval(good.map(({ value }) => value), { seed: 0, ...(areVerdicts ? { bounds: [0, 1] } : {}) }),
    satisfied: lined.length === 0 ? undefined : proportionInterval(lined.filter(Boolean).length, lined.length),
    // Where all counts are equal, another answer may have one more or one less.
    findings: placed.length === 0 ? undefined : bootstrapInterval(placed, { seed: 0, bounds: nextTo(placed[0]!) }),
    failures,
  };
}

const nextTo = (count: number): [number, number] => [Math.max(0, count - 1), count + 1];

/** The completions that the file holds; where it is not there they are made, and kept in it. */
export async function keptCompletions(
  file: string | undefined, answer: () => Promise<readonly Completion[]>,
): Promise<readonly Completion[]> {
  // JSON gives numbers back to the last bit.
  if (file !== undefined && existsSync(file)) return readKept<Completion[]>(file);
  const completions = await answer();
  if (file !== undefined) await atomicWrite(file, JSON.stringify(completions));
  return completions;
}
