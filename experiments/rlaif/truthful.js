// @ts-check
// TruthfulQA's answers with human labels as pairs, a true and a false one to a question; split by question.
import { mixed, place, read } from './shared.js';

/** Of each question the true and the false answers, each once, in an order of their content. */
export function questions() {
  const all = new Map();
  for (const { question, answer, truthful } of read('truthfulqa_judge.jsonl')) {
    const text = answer.trim();
    if (text === '' || text.length > 160) continue;
    const of = all.get(question) ?? { question, right: new Set(), wrong: new Set() };
    of[truthful ? 'right' : 'wrong'].add(text);
    all.set(question, of);
  }
  // An answer that was labelled both ways says nothing.
  for (const { right, wrong } of all.values()) for (const answer of [...right]) if (wrong.has(answer)) [right, wrong].forEach((set) => set.delete(answer));
  return mixed([...all.values()].map(({ question, right, wrong }) => ({ question, right: mixed(right), wrong: mixed(wrong) })))
    .filter(({ right, wrong }) => right.length > 0 && wrong.length > 0);
}

/** A third of the questions is held out, an eighth is for choosing settings. */
export const part = (question) => (place(question) < 0.35 ? 'test' : place(question) < 0.475 ? 'dev' : 'train');
