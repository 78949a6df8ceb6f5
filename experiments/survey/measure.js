// @ts-check
// How well detectors that need no model find what people marked in research sets, beside a classifier of words on the same rows.
import { join } from 'node:path';
import { auroc, fitTextClassifier, readyClassifier } from '@heed/heed';
import { lines, read } from '../shared/data.js';
import { ROOT } from '../shared/heed.js';
import { critic, misconceptions, tasks } from './tasks.js';

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

/** What a detector finds. @param {string} detector @param {string} file @param {string} note @param {import('./tasks.js').Row[]} rows */
function measured(detector, file, note, rows) {
  const yes = rows.map((row) => row.yes);
  const scored = rows.every(({ score }) => score !== undefined);
  const flagged = (is) => {
    const of = rows.filter((row) => row.yes === is);
    return scored ? of.filter(({ score = 0 }) => score > 0).length / of.length : undefined;
  };
  return {
    detector, file, rows: rows.length, yes: yes.filter(Boolean).length,
    auc: scored ? auroc(rows.map(({ score }) => score), yes) : undefined, flaggedYes: flagged(true), flaggedNo: flagged(false),
    wordsAuc: ofWords(rows), lengthAuc: auroc(rows.map(({ text }) => text.length), yes), note,
  };
}

/** Every detector on the sets that have what it looks for. */
export function marked() {
  const all = tasks.map(({ name, file, rows, note }) => measured(name, file, note, rows(read(file))));
  const known = misconceptions(read('truthfulqa.jsonl'), read('truthfulqa_judge.jsonl'));
  const note = 'untruthful answers to known questions, the answers not in the list';
  all.push(measured('misconceptions', 'truthfulqa_judge.jsonl', note, known));
  const table = all.map(({ detector, file, rows, yes, auc, flaggedYes, flaggedNo, wordsAuc, lengthAuc, note }) =>
    [detector, file, rows, yes, ...[auc, flaggedYes, flaggedNo, wordsAuc, lengthAuc].map(shown), note]);
  const head = ['detector', 'data', 'rows', 'yes', 'AUC', 'flags of yes', 'flags of no', 'words AUC', 'length AUC', 'what is looked for'];
  return { result: { detectors: all }, lines: [head, head.map(() => '---'), ...table].map((cells) => `| ${cells.join(' | ')} |`) };
}

/** How often a classifier of words names what a request is for. */
export function intents() {
  const all = INTENTS.map(([name, split]) => {
    const rows = read(name).filter(({ intent }) => intent !== 'oos');
    const held = rows.filter((row) => row.split === split);
    const trained = rows.filter((row) => row.split === 'train');
    const classify = readyClassifier(fitTextClassifier(trained.map(({ text, intent }) => ({ text, label: intent }))));
    const right = held.filter(({ text, intent }) => Object.entries(classify(text)).sort(([, a], [, b]) => b - a)[0][0] === intent).length;
    return { file: name, trained: trained.length, held: held.length, right: right / held.length };
  });
  return { result: { intents: all }, lines: all.map((one) => JSON.stringify(one)) };
}

/** The critic of dialogues, without and with the intents of the turns. */
export function critics() {
  const data = read('synthetic_persona_chat.jsonl');
  const model = fitTextClassifier(lines(join(ROOT, 'examples/detector-intent.jsonl')));
  const all = [{}, { intents: model }].map((settings) => ({ features: Object.keys(settings), ...critic(data, settings) }));
  return { result: { critics: all }, lines: all.map((one) => JSON.stringify(one)) };
}
