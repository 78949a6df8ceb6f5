// @ts-check
// A reward model that was taught principles and their negations: does it turn round when the principle is turned round?
import { CONCISE, POLITE, TRUTHFUL, principledRows } from './principled.js';
import { withRewards } from './rewards.js';
import { command, estimateMean, text, train, write } from './shared.js';

const SET = [
  'train.steps=36',
  'train.batch=8',
  'train.learningRate=1e-3',
  'method.principles=1',
  'method.draws=1',
  'adapter.targets=all',
  'adapter.rank=8',
  'adapter.alpha=16',
  'data.junk=skip',
];
const negated = ({ name, negation }) => ({ name, text: negation });

/** Pairs that a principle tells apart, with how far each response is ahead under it and under its negation. */
export async function ahead(adapter, rows) {
  const sets = [TRUTHFUL, CONCISE, POLITE].flatMap((principle) => [[principle], [negated(principle)]]);
  const rewards = await withRewards(adapter, ({ principled }) =>
    principled(rows.flatMap(({ prompt, responses }) => responses.map((response) => ({ prompt, response, sets })))),
  );
  return rows.flatMap(({ prompt, principles }, i) =>
    principles.flatMap(({ name, score }, p) => {
      const margin = (k) => rewards[2 * i][k] - rewards[2 * i + 1][k];
      return score === 0 ? [] : [{ prompt, name, better: Math.sign(score), under: margin(2 * p), negated: margin(2 * p + 1) }];
    }),
  );
}

const won = (margin, better) => (margin === 0 ? 0.5 : Number(Math.sign(margin) === better));

/** Accuracy under the principle and under its negation, and how often the preference turns. */
export function measures(pairs) {
  const groups = pairs.map((pair) => [pair]);
  return {
    accuracy: estimateMean(groups, ({ under, better }) => won(under, better)),
    accuracyNegated: estimateMean(groups, ({ negated: margin, better }) => won(margin, -better)),
    flips: estimateMean(groups, ({ under, negated: margin }) => Number(Math.sign(under) !== Math.sign(margin))),
    follows: estimateMean(groups, ({ under, negated: margin, better }) => won(under, better) * won(margin, -better)),
  };
}

export const PRINCIPLES_COMMAND = command('principle-reward-model', 'principled.jsonl', SET);
/** @param {string} work */
export const principlesModel = (work) =>
  train(work, 'principles', 'principle-reward-model', write(work, 'principled.jsonl', principledRows('train', 2)), SET);

/** @param {string} work @param {string} wanted */
export async function principles(work, wanted) {
  const adapter = await principlesModel(work);
  const rows = principledRows(wanted, 1).slice(0, 80);
  const pairs = await ahead(adapter, rows);
  const by = Object.fromEntries(
    [TRUTHFUL, CONCISE, POLITE].map(({ name }) => [name, measures(pairs.filter((pair) => pair.name === name))]),
  );
  const lines = Object.entries(by).map(
    ([name, of]) =>
      `${name}: ${Object.entries(of)
        .map(([what, value]) => `${what} ${text(value)}`)
        .join('; ')} (${of.flips.n} pairs)`,
  );
  const result = {
    judge: "the reward model itself, taught by labels that are no opinions: TruthfulQA's by people, words counted, endings put there",
    command: PRINCIPLES_COMMAND,
    trainedOn: principledRows('train', 2).length,
    heldOut: rows.length,
    by,
  };
  return { result, lines };
}
