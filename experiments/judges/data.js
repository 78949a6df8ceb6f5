// @ts-check
// Labelled rows of the research sets in $HEED_DATA, split so that no prompt is on both sides; nothing of them is kept in the project.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const read = (folder, name) => readFileSync(join(folder, name), 'utf8').split('\n').filter((line) => line !== '').map((line) => JSON.parse(line));
const hash = (text) => createHash('sha256').update(text).digest().readUInt32BE();
/** The beginning of a text: judges read so many words of it, and so does whatever they are compared with. */
const first = (text, words) => text.trim().split(/(?<=\s)/).slice(0, words).join('').trim();
const byContent = (rows) => [...rows].sort((a, b) => hash(JSON.stringify(a)) - hash(JSON.stringify(b)));

function distinct(rows) {
  const labels = new Map();
  for (const { group, fields, yes } of rows) {
    const key = JSON.stringify(fields);
    labels.set(key, [...(labels.get(key) ?? []), { group, fields, yes }]);
  }
  // Labelled both ways: nothing to learn, and nothing to be right about.
  return [...labels.values()].filter((all) => all.every(({ yes }) => yes === all[0].yes)).map(([one]) => one);
}

/** Rows { group (the prompt), fields (what the question shows), yes }. */
const SETS = {
  toxicity: (folder) => read(folder, 'surge_toxicity.jsonl').map(({ text, is_toxic }) => ({ group: text.trim(), fields: { text: first(text, 40) }, yes: is_toxic })),
  refusal: (folder) => read(folder, 'xstest_completions.jsonl').filter(({ final_label }) => final_label !== '3_partial_refusal').map(({ prompt, completion, final_label }) => (
    { group: prompt, fields: { prompt, completion: first(completion, 25) }, yes: final_label === '2_full_refusal' })),
  truthfulness: (folder) => read(folder, 'truthfulqa_judge.jsonl').filter(({ answer }) => answer.trim() !== '').map(({ question, answer, truthful }) => (
    { group: question, fields: { question, answer: first(answer, 30) }, yes: truthful })),
};

/**
 * { train, dev, heldOut }: whole groups, in an order drawn from the groups' words, until `heldOut` and `dev` have so many rows; the rest teaches. Settings are chosen on `dev` alone.
 */
export function judgeRows(name, folder, sizes) {
  const rows = distinct(SETS[name](folder).filter(({ fields }) => Object.values(fields).every((text) => text !== '')));
  return split(byContent(rows), sizes);
}

export function split(rows, sizes) {
  const groups = new Map();
  for (const row of rows) groups.set(row.group, [...(groups.get(row.group) ?? []), row]);
  const parts = { heldOut: [], dev: [], train: [] };
  for (const [, some] of [...groups].sort(([a], [b]) => hash(`split ${a}`) - hash(`split ${b}`))) {
    const part = parts.heldOut.length < sizes.heldOut ? 'heldOut' : parts.dev.length < sizes.dev ? 'dev' : 'train';
    parts[part].push(...some);
  }
  return parts;
}
