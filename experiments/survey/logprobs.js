// @ts-check
// How well a classifier that reads a model's log-probabilities does on what people marked, beside one of words on the same rows.
import { continuationsOf, fitLogprobClassifier, startEngine } from '@heed/heed';
import { groupsOf, hash, mixed, read } from '../shared/data.js';
import { MODEL } from '../shared/heed.js';

const user = (/** @type {string} */ content) => [{ role: /** @type {const} */ ('user'), content }];
const rowsOf = (/** @type {string} */ name) => read(`${name}.jsonl`);
/** Groups in an order of their content, until there are enough rows. */
const some = (rows, key, most) => {
  const taken = [];
  for (const group of mixed([...groupsOf(rows, key).values()], ([first]) => key(first))) if (taken.length < most) taken.push(...group);
  return taken;
};

/** Rows of each task, as few as two cores read in some minutes. */
export const TASKS = {
  truthful: () => some(rowsOf('truthfulqa_judge').filter(({ answer }) => answer !== ''), ({ question }) => question, 600).map(
    ({ question, answer, truthful }) => ({ prompt: user(question), response: answer, label: String(truthful) })),
  hallucination: () => some(rowsOf('halueval_general').filter(({ response }) => response.length < 500), ({ id }) => id, 150).map(
    ({ query, response, hallucination }) => ({ prompt: user(query), response, label: hallucination ? 'false' : 'true' })),
  dialogue: () => {
    const dialogues = rowsOf('synthetic_persona_chat').map(({ turns }) => turns.map((turn) => turn.replace(/^User \d: /, '')));
    const rows = continuationsOf(dialogues).map((row) => ({ ...row, key: hash(`${row.dialogue} ${row.before.join('\n')}`) }));
    return some(rows, ({ key }) => String(key), 200).map(({ before, turn, real, dialogue }) => ({
      prompt: before.slice(-2).map((content, i, { length }) => (
        { role: /** @type {'user' | 'assistant'} */ ((length - i) % 2 === 1 ? 'user' : 'assistant'), content }
      )),
      response: turn, label: real ? 'true' : 'false', group: String(dialogue),
    }));
  },
};

/** @param {keyof typeof TASKS} name */
export async function logprobs(name) {
  const rows = TASKS[name]();
  const engine = await startEngine();
  try {
    const { report, classifier } = await fitLogprobClassifier(rows, { engine, model: MODEL });
    const weights = Object.fromEntries(classifier.features.map((feature, i) => [feature, Number(classifier.weights[i].toFixed(2))]));
    const result = { ...report, weights };
    return { result, lines: [JSON.stringify(result)] };
  } finally {
    await engine.close();
  }
}
