// @ts-check
// Soft against hard labels: two reward models from the same rows, steps and seed; one learns the annotator's probability, the other its
// verdict.
import { calibration } from '@heed/heed';
import { withRewards } from './rewards.js';
import { hash, mixed, read, words } from '../shared/data.js';
import { command, estimate, estimateMean, grouped, place, text, train, write } from './shared.js';

const SET = [
  'train.steps=16',
  'train.batch=8',
  'train.learningRate=1e-3',
  'data.onLong=skip',
  'data.maxTokens=256',
  'adapter.rank=8',
  'adapter.alpha=16',
  'method.centring=0',
];

/** Responses are cut: the beginning of an answer already shows whose it is, and a step costs what its tokens cost. */
const WORDS = 24;
const beginning = (response) => response.trim().split(/\s+/).slice(0, WORDS).join(' ');

/**
 * AlpacaEval's annotations: GPT-4 Turbo's probability, from its log-probabilities, that the second output is better. The pair stands in
 * an order drawn from its words.
 */
function annotations(wanted) {
  const part = (prompt) => {
    if (place(prompt) < 0.46) return 'test';
    return place(prompt) < 0.52 ? 'dev' : 'train';
  };
  return mixed(
    read('alpacaeval_soft_preferences.jsonl').flatMap(({ instruction, output_1: one, output_2: two, p_output_2: p }) => {
      const turned = hash(`turn ${instruction}`) % 2 === 0;
      const [first, second, soft] = turned ? [beginning(two), beginning(one), p] : [beginning(one), beginning(two), 1 - p];
      return part(instruction) !== wanted || words(instruction) > 60 || first === second
        ? []
        : [{ prompt: instruction, first, second, soft }];
    }),
  );
}

/** A row for each form: the likelier response is the chosen one. */
const row = ({ prompt, first, second, soft }, label) => {
  const [chosen, rejected, p] = soft > 0.5 ? [first, second, soft] : [second, first, 1 - soft];
  return { prompt, chosen, rejected, soft_label: label === 'soft' ? p : 1 };
};

const sigmoid = (x) => 1 / (1 + Math.exp(-x));
const logLoss = (p, q) => -(q * Math.log(Math.max(p, 1e-12)) + (1 - q) * Math.log(Math.max(1 - p, 1e-12)));
const ece = (rows, of) => calibration(rows.map((row) => ({ label: row[of], human: row.soft }))).ece;

/** @param {string} work @param {string} wanted */
export async function softLabels(work, wanted) {
  const teaching = annotations('train').filter(({ soft }) => soft !== 0.5);
  const held = annotations(wanted);
  const said = {};
  for (const label of ['soft', 'hard']) {
    const adapter = await train(
      work,
      `labels-${label}`,
      'reward-model',
      write(
        work,
        `labels-${label}.jsonl`,
        teaching.map((one) => row(one, label)),
      ),
      SET,
    );
    const rewards = await withRewards(adapter, ({ plain }) =>
      plain(
        held.flatMap(({ prompt, first, second }) => [
          { prompt, response: first },
          { prompt, response: second },
        ]),
      ),
    );
    said[label] = held.map((_, i) => sigmoid(rewards[2 * i] - rewards[2 * i + 1]));
  }
  const rows = held.map((one, i) => ({ ...one, p: { soft: said.soft[i], hard: said.hard[i] } }));
  const groups = grouped(rows, ({ prompt }) => prompt);
  const right = (p, soft) => (p === 0.5 ? 0.5 : Number(p > 0.5 === soft > 0.5));
  const decided = grouped(
    rows.filter(({ soft }) => soft !== 0.5),
    ({ prompt }) => prompt,
  );
  const of = (label) => ({
    accuracy: estimateMean(decided, ({ p, soft }) => right(p[label], soft)),
    brier: estimateMean(groups, ({ p, soft }) => (p[label] - soft) ** 2),
    logLoss: estimateMean(groups, ({ p, soft }) => logLoss(p[label], soft)),
    ece: estimate(
      groups,
      (some) =>
        ece(
          some.map(({ p, soft }) => ({ p: p[label], soft })),
          'p',
        ),
      1000,
    ),
    confidence: estimateMean(groups, ({ p }) => Math.abs(p[label] - 0.5)),
  });
  const by = { soft: of('soft'), hard: of('hard') };
  // Soft minus hard, pair by pair.
  const difference = {
    accuracy: estimateMean(decided, ({ p, soft }) => right(p.soft, soft) - right(p.hard, soft)),
    brier: estimateMean(groups, ({ p, soft }) => (p.soft - soft) ** 2 - (p.hard - soft) ** 2),
    logLoss: estimateMean(groups, ({ p, soft }) => logLoss(p.soft, soft) - logLoss(p.hard, soft)),
    ece: estimate(
      groups,
      (some) =>
        ece(
          some.map(({ p, soft }) => ({ p: p.soft, soft })),
          'p',
        ) -
        ece(
          some.map(({ p, soft }) => ({ p: p.hard, soft })),
          'p',
        ),
      1000,
    ),
  };
  const lines = [
    ...Object.entries({ ...by, 'soft − hard': difference }).map(
      ([name, measures]) =>
        `${name}: ${Object.entries(measures)
          .map(([what, value]) => `${what} ${text(value, 4)}`)
          .join('; ')}`,
    ),
    `${teaching.length} rows taught, ${rows.length} pairs held out, of ${groups.length} prompts`,
  ];
  const result = {
    judge: "GPT-4 Turbo: AlpacaEval's annotations with log-probabilities",
    command: command('reward-model', 'labels-soft.jsonl', SET),
    trainedOn: teaching.length,
    heldOut: rows.length,
    prompts: groups.length,
    always: { brier: estimateMean(groups, ({ soft }) => (0.5 - soft) ** 2), logLoss: Math.LN2 },
    by,
    difference,
    bins: Object.fromEntries(
      ['soft', 'hard'].map((label) => [label, calibration(rows.map(({ p, soft }) => ({ label: p[label], human: soft }))).bins]),
    ),
  };
  return { result, lines };
}
