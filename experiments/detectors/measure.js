// @ts-check
// How well detectors that need no model find what people marked in research sets, beside a classifier of words on the same rows:
//   node experiments/detectors/measure.js FOLDER [--critic]
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { auroc, fitTextClassifier, readyClassifier } from '@heed/heed';
import { lines } from '../shared/data.js';
import { ROOT } from '../shared/heed.js';
import { critic, misconceptions, tasks } from './tasks.js';

const [folder, ...flags] = process.argv.slice(2);
if (folder === undefined) {
  console.error('Say where the research data are: node experiments/detectors/measure.js FOLDER. experiments/README.md lists them.');
  process.exit(2);
}
const FOLDS = 5;
/** Requests with what they are for, and the split that is held out. */
const INTENTS = [['snips_intents.jsonl', 'validate'], ['clinc150.jsonl', 'test']];
const shown = (x) => (x === undefined ? '—' : x.toFixed(3));

/** AUC of a classifier of words whose rows of one group are all on one side. @param {import('./tasks.js').Row[]} rows */
function ofWords(rows) {
  const groups = new Map([...new Set(rows.map(({ group }) => group))].map((group, i) => [group, i % FOLDS]));
  const scores = new Array(rows.length);
  for (let fold = 0; fold < FOLDS; fold++) {
    const train = rows.filter(({ group }) => groups.get(group) !== fold);
    const classify = readyClassifier(fitTextClassifier(train.map(({ text, yes }) => ({ text, label: yes ? 'yes' : 'no' }))));
    rows.forEach(({ text, group }, i) => {
      if (groups.get(group) === fold) scores[i] = classify(text)['yes'];
    });
  }
  return auroc(scores, rows.map(({ yes }) => yes));
}

/** One line of the table. */
function print(name, file, note, rows) {
  const yes = rows.map((row) => row.yes);
  const scored = rows.every(({ score }) => score !== undefined);
  const own = scored ? auroc(rows.map(({ score }) => score), yes) : undefined;
  const flagged = [true, false].map((is) => {
    const of = rows.filter((row) => row.yes === is);
    return scored ? of.filter(({ score = 0 }) => score > 0).length / of.length : undefined;
  });
  const length = auroc(rows.map(({ text }) => text.length), yes);
  const counts = [rows.length, yes.filter(Boolean).length];
  console.log(`| ${[name, file, ...counts, ...[own, ...flagged, ofWords(rows), length].map(shown), note].join(' | ')} |`);
}

console.log('| detector | data | rows | yes | AUC | flags of yes | flags of no | words AUC | length AUC | what is looked for |');
console.log('|---|---|---|---|---|---|---|---|---|---|');
for (const { name, file, rows, note } of tasks) {
  const at = join(folder, file);
  if (!existsSync(at)) console.log(`| ${name} | ${file} is not in the folder |`);
  else print(name, file, note, rows(lines(at)));
}
const [list, judged] = ['truthfulqa.jsonl', 'truthfulqa_judge.jsonl'].map((name) => join(folder, name));
if (existsSync(list) && existsSync(judged)) {
  const rows = misconceptions(lines(list), lines(judged));
  print('misconceptions', 'truthfulqa_judge.jsonl', 'untruthful answers to known questions, the answers not in the list', rows);
}
for (const [name, split] of INTENTS) {
  const at = join(folder, name);
  if (!existsSync(at)) continue;
  const rows = lines(at).filter(({ intent }) => intent !== 'oos');
  const held = rows.filter((row) => row.split === split);
  const trained = rows.filter((row) => row.split === 'train');
  const classify = readyClassifier(fitTextClassifier(trained.map(({ text, intent }) => ({ text, label: intent }))));
  const right = held.filter(({ text, intent }) => Object.entries(classify(text)).sort(([, a], [, b]) => b - a)[0][0] === intent).length;
  console.log(JSON.stringify({ intents: name, trained: trained.length, held: held.length, right: right / held.length }));
}
if (flags.includes('--critic')) {
  const data = lines(join(folder, 'synthetic_persona_chat.jsonl'));
  const intents = fitTextClassifier(lines(join(ROOT, 'examples/detector-intent.jsonl')));
  for (const settings of [{}, { intents }]) console.log(JSON.stringify({ features: Object.keys(settings), ...critic(data, settings) }));
}
