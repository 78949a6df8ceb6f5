// @ts-check
// Labelled rows of the research sets in $HEED_DATA, split so that no prompt is on both sides; nothing of them is kept in the project.
import { groupsOf, hash, mixed, read } from '../shared/data.js';

/** The beginning of a text: judges read so many words of it, and so does whatever they are compared with. */
const first = (text, words) =>
  text
    .trim()
    .split(/(?<=\s)/)
    .slice(0, words)
    .join('')
    .trim();

function distinct(rows) {
  const labels = groupsOf(rows, ({ fields }) => JSON.stringify(fields));
  // Labelled both ways: nothing to learn, and nothing to be right about.
  return [...labels.values()].filter((all) => all.every(({ yes }) => yes === all[0].yes)).map(([one]) => one);
}

/** Rows { group (the prompt), fields (what the question shows), yes }. */
const SETS = {
  toxicity: () =>
    read('surge_toxicity.jsonl').map(({ text, is_toxic }) => ({
      group: text.trim(),
      fields: { text: first(text, 40) },
      yes: is_toxic,
    })),
  refusal: () =>
    read('xstest_completions.jsonl')
      .filter(({ final_label }) => final_label !== '3_partial_refusal')
      .map(({ prompt, completion, final_label }) => ({
        group: prompt,
        fields: { prompt, completion: first(completion, 25) },
        yes: final_label === '2_full_refusal',
      })),
  truthfulness: () =>
    read('truthfulqa_judge.jsonl')
      .filter(({ answer }) => answer.trim() !== '')
      .map(({ question, answer, truthful }) => ({ group: question, fields: { question, answer: first(answer, 30) }, yes: truthful })),
};

/**
 * { train, dev, heldOut }: whole groups, in an order drawn from the groups' words, until `heldOut` and `dev` have so many rows; the rest
 * teaches. Settings are chosen on `dev` alone.
 */
export function judgeRows(name, sizes) {
  const rows = distinct(SETS[name]().filter(({ fields }) => Object.values(fields).every((text) => text !== '')));
  return split(mixed(rows), sizes);
}

export function split(rows, sizes) {
  const parts = { heldOut: [], dev: [], train: [] };
  for (const [, some] of [...groupsOf(rows, ({ group }) => group)].sort(([a], [b]) => hash(`split ${a}`) - hash(`split ${b}`))) {
    // The first part that is not full yet.
    const part = /** @type {const} */ (['heldOut', 'dev']).find((name) => parts[name].length < sizes[name]) ?? 'train';
    parts[part].push(...some);
  }
  return parts;
}
