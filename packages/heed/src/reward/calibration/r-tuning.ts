/**
 * R-Tuning (Zhang et al., NAACL 2024, arXiv 2311.09677): rows that teach a model to say whether it knows, made of its own answers. They
 * come before any reward for abstaining: a small model never says "I don't know" by itself, so such a reward has nothing to choose from.
 */
import { normalAnswer } from '../../text/short-answer.js';
import { createRandom } from '../../run/random.js';
import { entropyOf } from '../consistency/entropy.js';

const ASKED = 'Are you sure you accurately answered the question based on your internal knowledge?';

/** What `unknown` puts in place of the answer. */
export const REFUSALS: readonly string[] = [
  "I don't know the answer to that.", 'I am not sure about this.', "I don't have that information.", "I can't say; I would only guess.",
  'That is beyond my knowledge.', "I'm afraid I don't know.", 'I am unable to answer that reliably.', "I don't recall that.",
];

/** A question with the right answer, and what the model said itself. */
export interface OwnAnswer {
  readonly question: string;
  readonly answer: string;
  /** The model's greedy answer. */
  readonly own: string;
}

/** A row for supervised fine-tuning. */
export interface TaughtRow {
  readonly prompt: string;
  readonly completion: string;
}

/**
 * Whether the model knew: the right answer stands in its own one up to the first full stop. In words: "no" is not found in "unknown", as it
 * is by the authors' program.
 */
export function knew({ answer, own }: OwnAnswer): boolean {
  const stop = own.indexOf('.');
  const first = normalAnswer(stop < 0 ? own : own.slice(0, stop));
  return ` ${first} `.includes(` ${normalAnswer(answer)} `);
}

const sureRow = ({ question, answer }: Pick<OwnAnswer, 'question' | 'answer'>, sure: boolean): TaughtRow => ({
  prompt: `Question: ${question} Answer:`,
  completion: `${answer.replace(/\.*$/, '.')} ${ASKED} I am ${sure ? 'sure' : 'unsure'}.`,
});

/** R-Tuning: the right answer, and "I am sure." where the model gave it by itself, else "I am unsure." */
export const rTuning = (answers: readonly OwnAnswer[]): TaughtRow[] => answers.map((one) => sureRow(one, knew(one)));

/** R-Tuning-R: where the model did not know, it learns one of `REFUSALS` in place of the answer. */
export function rTuningUnknown(answers: readonly OwnAnswer[], seed = 0): TaughtRow[] {
  return answers.map((one, i) => ({
    prompt: `Question: ${one.question} Answer:`,
    completion: knew(one) ? one.answer : REFUSALS[createRandom(seed, 'refusal', i).int(REFUSALS.length)]!,
  }));
}

/**
 * R-Tuning-U, which needs no right answers to tell what is known: questions in the order of the entropy of their samples; the first half,
 * where the samples agree, is sure. Of an odd number the middle one is unsure.
 */
export function rTuningUncertain(
  questions: readonly { readonly question: string; readonly answer: string; readonly samples: readonly string[] }[],
): TaughtRow[] {
  const order = questions
    .map(({ samples }, i) => ({ i, entropy: entropyOf(samples) }))
    .sort((a, b) => a.entropy - b.entropy || a.i - b.i);
  const sure = new Set(order.slice(0, Math.floor(questions.length / 2)).map(({ i }) => i));
  return questions.map((one, i) => sureRow(one, sure.has(i)));
}
