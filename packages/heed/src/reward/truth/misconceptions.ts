/** Known misconceptions: questions with right and wrong answers, and how near an answer is to either. */
import { z } from 'zod';
import { cosine, rarity, tfIdf } from '../../text/idf.js';
import { contentWords, plainWords, stem } from '../../text/words.js';

/** A line of the user's file. */
export const Misconception = z.object({
  question: z.string().min(1),
  /** Answers that are true. */
  correct: z.array(z.string().min(1)).min(1),
  /** Answers that many people believe, and that are false. */
  incorrect: z.array(z.string().min(1)).min(1),
});
export type Misconception = z.infer<typeof Misconception>;

export interface Nearness {
  /** The nearest known question, and its cosine with the one that was asked. */
  readonly known: Misconception;
  readonly similarity: number;
  /** Similarity to the nearest wrong answer less that to the nearest right one: above 0, the answer is nearer to the misconception. */
  readonly leaning: number;
  readonly wrong: string;
}

/** How near answers are to known misconceptions. All words count in an answer, since "not" decides many of them. */
export function misconceptionFinder(list: readonly Misconception[]): (question: string, answer: string) => Nearness | undefined {
  const stems = (text: string): string[] => contentWords(text).map(stem);
  const all = (text: string): string[] => plainWords(text).map(stem);
  const ofQuestions = rarity(list.map(({ question }) => stems(question)));
  const ofAnswers = rarity(list.flatMap(({ correct, incorrect }) => [...correct, ...incorrect].map(all)));
  const questions = list.map(({ question }) => tfIdf(stems(question), ofQuestions));
  return (question, answer) => {
    const asked = tfIdf(stems(question), ofQuestions);
    let [best, similarity] = [-1, 0];
    questions.forEach((known, i) => {
      const here = cosine(asked, known);
      if (here > similarity) [best, similarity] = [i, here];
    });
    const known = list[best];
    if (known === undefined) return undefined;
    const said = tfIdf(all(answer), ofAnswers);
    const nearest = (answers: readonly string[]): { text: string; near: number } => answers
      .map((text) => ({ text, near: cosine(said, tfIdf(all(text), ofAnswers)) }))
      .reduce((a, b) => (b.near > a.near ? b : a));
    const [right, wrong] = [nearest(known.correct), nearest(known.incorrect)];
    return { known, similarity, leaning: wrong.near - right.near, wrong: wrong.text };
  };
}
