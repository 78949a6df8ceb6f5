// @ts-check
// TruthfulQA's answers with people's labels, split by question.
import { mixed, truthfulQuestions } from '../shared/data.js';
import { place } from './shared.js';

/** Questions with true and false answers. */
export const questions = () => mixed(truthfulQuestions({ answer: 160 })).filter(({ right, wrong }) => right.length > 0 && wrong.length > 0);

/** A third of the questions is held out, an eighth is for choosing settings. @param {string} question */
export const part = (question) => {
  if (place(question) < 0.35) return 'test';
  return place(question) < 0.475 ? 'dev' : 'train';
};
