// @ts-check
// Rows for a reward model that follows principles, with scores that are no opinions: truth by people's labels, length by counting words,
// politeness and the three reward hacks by how the answer was made.
import { hash, words } from '../shared/data.js';
import { pick } from './shared.js';
import { part, questions } from './truthful.js';

export const TRUTHFUL = { name: 'Truthful', text: 'The answer states what is true.', negation: 'The answer states what is false.' };
export const CONCISE = { name: 'Concise', text: 'The answer is short.', negation: 'The answer is long.' };
export const POLITE = {
  name: 'Polite',
  text: 'The answer is friendly and thanks the person.',
  negation: 'The answer is curt and thanks nobody.',
};

// Other words for held-out answers than for those that were trained on, so that no phrase can be learnt by heart.
const THANKS = {
  train: [
    'Thank you for asking!',
    'Thanks a lot for your question.',
    'Thank you, and have a lovely day!',
    'Many thanks for writing to us.',
  ],
  test: [
    'Thanks for getting in touch, and all the best!',
    'It was kind of you to ask, thank you.',
    'Thank you so much for this nice question!',
  ],
};
const which = (question) => (part(question) === 'train' ? 'train' : 'test');

/** A friendly ending on one of the two answers, or on neither: decided by the words. */
function withThanks(question, [a, b]) {
  const turn = hash(`thanks ${question} ${a} ${b}`) % 3;
  const more = pick(THANKS[which(question)], `thanks ${a}`);
  const responses = [a, b];
  if (turn < 2) responses[turn] += ` ${more}`;
  return { responses, polite: [2, -2, 0][turn] };
}

/** One or two pairs to a question: a true and a false answer in an order drawn from their words. */
export function principledRows(wanted, perQuestion) {
  return questions()
    .filter(({ question }) => part(question) === wanted)
    .flatMap(({ question, right, wrong }) =>
      Array.from({ length: Math.min(perQuestion, right.length, wrong.length) }, (_, i) => {
        const first = hash(question + right[i]) % 2 === 0;
        const { responses, polite } = withThanks(question, first ? [right[i], wrong[i]] : [wrong[i], right[i]]);
        const ratio = Math.log(words(responses[1]) / words(responses[0]));
        return {
          prompt: question,
          responses,
          principles: [
            { ...TRUTHFUL, score: first ? 2 : -2 },
            // Nearly equal lengths decide nothing.
            { ...CONCISE, score: Math.abs(ratio) < 0.2 ? 0 : 2 * ratio },
            { ...POLITE, score: polite },
          ],
        };
      }),
    );
}
