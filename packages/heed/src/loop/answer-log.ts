import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import { UserError } from '../errors.js';
import type { Generator } from '../generate/generator.js';
import type { SamplingOptions } from '../generate/options.js';
import type { Completion } from '../generate/request.js';
import { type LogRow, openLog } from '../run/metrics.js';
import { Interrupted } from '../run/signals.js';

/** One answer of the policy, as it was written: a line of the answer log. */
export interface Answer {
  /** The round that asked for the answer. */
  readonly round: number | string;
  /** Index of the prompt in that round. */
  readonly row: number;
  /** Index among the answers to that prompt. */
  readonly sample: number;
  /** The tokens as the policy produced them, the end-of-turn token included. */
  readonly ids: readonly number[];
  /** log p of each of `ids` under the policy itself, in nats: temperature 1, no filter. */
  readonly logprobs: readonly number[];
  /** The same under the distribution that they were drawn from; absent where that is the policy itself. */
  readonly sampled?: readonly number[];
  /** The tokens that filters kept at the place of each of `ids`, if `reportKept` asked for them and a filter is on. */
  readonly kept?: readonly (readonly number[])[];
  /** The text of `ids` without the end-of-turn token. */
  readonly text: string;
  /** `length`: cut off at `maxNewTokens`. */
  readonly finish: Completion['finish'];
}

const AnswerSchema: z.ZodType<Answer> = z.strictObject({
  round: z.union([z.number(), z.string()]),
  row: z.int().nonnegative(),
  sample: z.int().nonnegative(),
  ids: z.array(z.int().nonnegative()),
  logprobs: z.array(z.number()),
  sampled: z.array(z.number()).optional(),
  kept: z.array(z.array(z.int().nonnegative())).optional(),
  text: z.string(),
  finish: z.enum(['stop', 'length']),
});

export interface AnswerRequest {
  /** Names the answers in the file, which may hold several rounds. */
  readonly round: number | string;
  /** Token ids of each prompt. */
  readonly prompts: readonly (readonly number[])[];
  readonly generator: Pick<Generator, 'generate'>;
  /** Answers wanted to each prompt. */
  readonly samples: number;
  /**
   * Whether an answer depends on its own prompt alone, as those of servers do. Then only what is missing is asked, all of it at a time.
   * Default: false, on those that are answered together too.
   */
  readonly independent?: boolean;
  /** Random numbers follow from the seed, the prompt's index, the sample and the place in the answer. */
  readonly sampling: SamplingOptions;
  readonly hooks?: {
    /** Takes the number of answers in the file, and the number wanted. */
    onProgress?(done: number, of: number): void;
    /** Set `requested` to stop after the current token. */
    readonly interrupt?: { readonly requested: boolean };
  };
}

/** Prompts that are answered together. Another number can change the last bit of log-probabilities, and so the results of a resume. */
const GROUP = 96;

/**
 * Has every prompt answered, and appends each answer to `file` (JSON Lines) as soon as it is finished. Returns the round's answers in the
 * order of prompts and samples, whatever the order in which they were finished.
 *
 * Answers in the file stay as they are, and a group of 96 prompts whose answers are complete is not asked again. A group that a kill left
 * unfinished is answered again as a whole, and only the missing answers are added. The reason: kernels of matrix products round
 * differently for different numbers of rows, so the last bit of a log-probability depends on the group. A run that is killed and resumed
 * on the same machine therefore ends with the same bits as an uninterrupted run, and a kill costs at most the work on one group.
 * Where answers are `independent`, there are no groups.
 *
 * @param file Its folder is made where it is missing. A last line that a kill cut is removed.
 * @throws UserError where a line of the file is no answer, or an answer to another list of prompts
 * @throws Interrupted where `interrupt` asked for it; the finished answers are in the file
 */
export async function answerPrompts(
  file: string, { round, prompts, generator, samples, independent = false, sampling, hooks = {} }: AnswerRequest,
): Promise<Answer[]> {
  await mkdir(dirname(file), { recursive: true });
  const log = openLog<LogRow>(file);
  try {
    const answers = placeAnswers(await log.rows(), file, round, { prompts: prompts.length, samples });
    const total = prompts.length * samples;
    let done = answers.filter((answer) => answer !== undefined).length;
    const checkInterrupt = (): void => {
      if (hooks.interrupt?.requested !== true) return;
      throw new Interrupted(`Stopped while answering prompts, ${done} of ${total} answers are written; go on with --resume.`);
    };
    const add = ({ row, sample, ids, text, logprobs, sampled, kept, finish }: Completion): void => {
      const place = row * samples + sample;
      if (answers[place] !== undefined) return;
      const answer: Answer = { round, row, sample, ids, logprobs, sampled, kept, text, finish };
      log.append({ ...answer });
      answers[place] = answer;
      done++;
    };
    hooks.onProgress?.(done, total);
    const lacks = (from: number, count: number): boolean => answers.slice(from * samples, (from + count) * samples).includes(undefined);
    const group = independent ? prompts.length : GROUP;
    for (let from = 0; from < prompts.length; from += group) {
      if (!lacks(from, group)) continue;
      checkInterrupt();
      const requests = prompts.slice(from, from + group).map((prompt, i) => ({ prompt, row: from + i, samples }))
        .filter(({ row }) => !independent || lacks(row, 1));
      await generator.generate(requests, sampling, {
        onCompletion: add,
        onProgress() {
          hooks.onProgress?.(done, total);
          checkInterrupt();
        },
      });
    }
    return answers.map((answer, place) => {
      if (answer === undefined) throw new Error(`The generator left prompt ${Math.floor(place / samples)} without an answer.`);
      return answer;
    });
  } finally {
    log.close();
  }
}

/** The answers of a round in the order of prompts and samples; undefined where one is missing. */
function placeAnswers(
  lines: readonly LogRow[], file: string, round: Answer['round'],
  { prompts, samples }: { readonly prompts: number; readonly samples: number },
): (Answer | undefined)[] {
  const answers = new Array<Answer | undefined>(prompts * samples).fill(undefined);
  lines.forEach((line, index) => {
    const { success, data: answer } = AnswerSchema.safeParse(line);
    const refuse = (problem: string): never => {
      throw new UserError(`${file}:${index + 1}: ${problem}: ${JSON.stringify(line).slice(0, 80)}`, [
        'The file or the prompts were changed by something else. Put them back, or start again with --overwrite.',
      ]);
    };
    if (!success) return refuse('not an answer');
    if (answer.round !== round) return;
    const { row, sample } = answer;
    if (row >= prompts || sample >= samples) refuse(`an answer beyond the ${prompts} prompts with ${samples} answers each`);
    const place = row * samples + sample;
    if (answers[place] !== undefined) refuse('a second answer with the same round, row and sample');
    answers[place] = answer;
  });
  return answers;
}
