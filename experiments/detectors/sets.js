// @ts-check
// Labelled research sets for detectors that are trained, in two parts whose groups (a question's, a prompt's) are not divided.
import { groupsOf, hash, mixed, read } from '../shared/data.js';

/**
 * @typedef {{ prompt?: string, text: string, label: string, group: string }} Row
 * @typedef {object} Set
 * @property {string} about What is found, in the words of the table.
 * @property {string} source
 * @property {string} recipe
 * @property {readonly [no: string, yes: string]} labels In the order of the head's numbers.
 * @property {'response' | 'prompt'} reads Whether the detector reads the prompt too.
 * @property {readonly [train: number, heldOut: number]} most Rows, so that a set takes some minutes on two cores.
 * @property {() => Row[]} rows
 */

/** @type {Record<string, Set>} */
export const SETS = {
  untruthful: {
    about: 'untruthful answers to unseen questions', source: "TruthfulQA's judge data",
    recipe: 'detector-factuality', labels: ['true', 'false'], reads: 'prompt', most: [1800, 600],
    rows: () => read('truthfulqa_judge.jsonl').filter(({ answer }) => answer.trim() !== '').map(({ question, answer, truthful }) => (
      { prompt: question, text: answer, label: String(truthful), group: question })),
  },
  hallucination: {
    about: 'hallucination, answers under 900 characters', source: 'HaluEval, general',
    recipe: 'detector-factuality', labels: ['true', 'false'], reads: 'prompt', most: [500, 150],
    rows: () => read('halueval_general.jsonl').filter(({ query, response }) => response.trim() !== '' && `${query}${response}`.length < 900)
      .map(({ query, response, hallucination }) => ({ prompt: query, text: response, label: String(!hallucination), group: query })),
  },
  toxic: {
    about: 'toxic comments', source: 'Surge',
    recipe: 'detector-toxicity', labels: ['fine', 'toxic'], reads: 'response', most: [600, 200],
    rows: () => read('surge_toxicity.jsonl').map(({ text, is_toxic: toxic }) => ({ text, label: toxic ? 'toxic' : 'fine', group: text })),
  },
  tweets: {
    about: 'hateful or offensive tweets', source: 'Davidson',
    recipe: 'detector-toxicity', labels: ['fine', 'toxic'], reads: 'response', most: [1800, 600],
    rows: () => read('davidson_tweets.jsonl').map(({ text, label }) => (
      { text, label: label === 'neither' ? 'fine' : 'toxic', group: text })),
  },
  refusal: {
    about: 'full refusal against full compliance, answers under 900 characters', source: 'XSTest',
    recipe: 'detector-toxicity', labels: ['complies', 'refuses'], reads: 'response', most: [500, 150],
    rows: () => read('xstest_completions.jsonl')
      .filter(({ final_label: label, completion }) => !/partial/.test(label) && completion.trim() !== '' && completion.length < 900)
      .map(({ id, completion, final_label: label }) => (
        { text: completion, label: /full_refusal/.test(label) ? 'refuses' : 'complies', group: id })),
  },
};

/** Whole groups in an order of their content, until there are enough rows. @param {Row[]} rows @param {number} most */
function some(rows, most) {
  const taken = [];
  const groups = mixed([...groupsOf(rows, ({ group }) => group).values()], ([{ group }]) => group);
  for (const group of groups) if (taken.length + group.length <= most) taken.push(...group);
  return taken;
}

/** A fifth of the groups is held out for results, and another for choosing settings. */
const PARTS = 5;
const part = (/** @type {Row} */ { group }) => hash(`detector ${group}`) % PARTS;

/**
 * The rows to learn from, and those held out.
 *
 * @param {string} name @param {boolean} dev
 */
export function split(name, dev) {
  const { most: [train, heldOut], rows } = SETS[name];
  const all = rows();
  return {
    train: some(all.filter((row) => part(row) > 1), train),
    heldOut: some(all.filter((row) => part(row) === (dev ? 1 : 0)), heldOut),
  };
}
