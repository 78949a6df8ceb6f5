import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { PromptRow } from '../data/rows.js';
import type { Generator } from '../generate/generator.js';
import type { Completion } from '../generate/request.js';
import type { SamplingOptions } from '../generate/options.js';
import type { Judge, Verdict } from '../judge/verdict.js';
import type { Model } from '../model/load.js';
import type { Scorer } from '../model/scorer.js';
import { atomicWrite } from '../run/files.js';
import { distinct, words } from './fluency.js';
import { type Estimate, bootstrapInterval, medianOf, proportionInterval } from '../run/statistics.js';

/** One answer to a prompt, with what a judge said of it. */
export interface Answer {
  readonly row: PromptRow;
  readonly response: string;
  readonly tokens: readonly number[];
  readonly finish: 'stop' | 'length';
  readonly verdict: Verdict;
}

/** Measures of text that know nothing of the judge: they show when a model gets its good marks by writing worse. */
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

/** How well answers fared: with a judge, and by measures that know no judge. */
export interface AnswerReport {
  readonly answers: readonly Answer[];
  /** Share of answers that the judge is satisfied with, with Wilson's 95 % interval. */
  readonly satisfied: Estimate;
  /** Findings an answer, with a 95 % bootstrap interval. */
  readonly findings: Estimate;
  readonly fluency: Fluency;
}

export interface EvaluationParts {
  readonly model: Model;
  readonly generator: Generator;
  /** Scores under the base model; left out where the generator is the base, which then scored its answers as it wrote them. */
  readonly scorer?: Scorer;
  readonly judge: Judge;
  readonly rows: readonly PromptRow[];
  readonly sampling: SamplingOptions;
  /** A file that keeps what was answered: where it is there, nothing is answered again. It belongs to these rows, this model and this sampling; the caller sees to that. */
  readonly keptIn?: string;
  onProgress?(finished: number, total: number): void;
}

/** Lets the model (with whatever adapter the generator has) answer every prompt, and has the answers judged and measured. */
export async function evaluateAnswers({ model, generator, scorer, judge, rows, sampling, keptIn, onProgress }: EvaluationParts): Promise<AnswerReport> {
  const prompts = rows.map((row) => model.template.prompt(row.prompt));
  const completions = await keeping(keptIn, () => generator.generate(prompts.map((prompt, row) => ({ prompt, row })), sampling, {
    onProgress: ({ finished, total }) => onProgress?.(finished, total),
  }));
  const verdicts = await judge.judge(rows.map((row, i) => ({ prompt: row.prompt, response: completions[i]!.text })));
  const answers = rows.map((row, i): Answer => {
    const { text, ids, finish } = completions[i]!;
    return { row, response: text, tokens: ids, finish, verdict: verdicts[i]! };
  });
  const scored = scorer && (await scorer.logProbs(answers.flatMap((a, i) => (a.tokens.length === 0 ? [] : [{ prompt: prompts[i]!, response: a.tokens }]))));
  const logprobs = scored?.flat().map((x) => x!) ?? completions.flatMap((c) => c.logprobs);
  const texts = answers.map((a) => a.response);
  return {
    answers,
    satisfied: proportionInterval(answers.filter((a) => a.verdict.satisfied).length, answers.length),
    findings: bootstrapInterval(answers.map((a) => a.verdict.findings.length), { seed: 0 }),
    fluency: {
      medianWords: medianOf(texts.map((t) => words(t).length)),
      distinct2: distinct(texts, 2),
      logprobPerToken: logprobs.reduce((a, b) => a + b, 0) / logprobs.length,
      unfinished: answers.filter((a) => a.finish === 'length').length / answers.length,
    },
  };
}

async function keeping(file: string | undefined, answer: () => Promise<readonly Completion[]>): Promise<readonly Completion[]> {
  // JSON gives numbers back to the last bit.
  if (file !== undefined && existsSync(file)) return JSON.parse(await readFile(file, 'utf8')) as Completion[];
  const completions = await answer();
  if (file !== undefined) await atomicWrite(file, JSON.stringify(completions));
  return completions;
}
