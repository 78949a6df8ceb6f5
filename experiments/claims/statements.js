// @ts-check
// What the papers claim, as contrasts between two contenders on one measure. Each was written down before its first run.

/**
 * @typedef {object} Statement
 * @property {string} paper
 * @property {string} says The claim, in words.
 * @property {string} numbers The paper's own.
 * @property {string} better The contender that should do better.
 * @property {string} than The contender beside it; `base` is the model without an adapter.
 * @property {'satisfied' | 'cutOff'} measure The share of held-out answers that break no rule; or that do not end by themselves.
 */

const CUT = 'CUT, Xu et al. 2312.14591';
const D2O = 'D2O, Duan et al. 2403.03419';

/** @type {Record<string, Statement>} */
export const STATEMENTS = {
  'cut-helps': {
    paper: CUT, says: 'Judgments and CUT make answers better.', numbers: 'AlpacaEval 81.1 → 90.7 (LLaMA2-chat-13b)',
    better: 'cut', than: 'base', measure: 'satisfied',
  },
  'cut-hindsight': {
    paper: CUT, says: 'CUT learns more from judgments than hindsight.', numbers: 'AlpacaEval 90.7, hindsight 36.7',
    better: 'cut', than: 'hindsight', measure: 'satisfied',
  },
  'cut-forward-prediction': {
    paper: CUT, says: 'CUT learns more from judgments than forward prediction.', numbers: 'AlpacaEval 90.7, forward prediction 33.2',
    better: 'cut', than: 'forward-prediction', measure: 'satisfied',
  },
  'cut-dpo': {
    paper: CUT, says: 'Judgments teach more than preferences.', numbers: 'AlpacaEval 90.7, ILF-DPO 83.2',
    better: 'cut', than: 'dpo', measure: 'satisfied',
  },
  'cut-whole-answers': {
    paper: CUT, says: 'Pushing down whole bad answers destroys the model; CUT pushes down single tokens.',
    numbers: 'without the detection of tokens: does not converge (TruthfulQA 0)',
    better: 'cut', than: 'unlikelihood', measure: 'satisfied',
  },
  'd2o-helps': {
    paper: D2O, says: 'Bad answers alone make a model better.', numbers: 'harmfulness 1.36 → −4.27 (Alpaca-7B)',
    better: 'd2o', than: 'base', measure: 'satisfied',
  },
  'd2o-gradient-ascent': {
    paper: D2O, says: 'D2O does better than gradient ascent on the same bad answers.', numbers: 'win rate 61.8 %, gradient ascent 20.1 %',
    better: 'd2o', than: 'gradient-ascent', measure: 'satisfied',
  },
  'd2o-unfinished': {
    paper: D2O, says: 'Gradient ascent unlearns how to answer; D2O does not.', numbers: '"catastrophic unlearning"',
    better: 'd2o', than: 'gradient-ascent', measure: 'cutOff',
  },
  'd2o-dpo': {
    paper: D2O, says: 'Negatives alone do better than pairs.', numbers: 'harmfulness −4.27, DPO −1.02',
    better: 'd2o', than: 'dpo', measure: 'satisfied',
  },
  'd2o-simpo': {
    paper: D2O, says: 'Negatives alone do better than pairs by SimPO.', numbers: 'harmfulness −4.27, SimPO −0.57',
    better: 'd2o', than: 'simpo', measure: 'satisfied',
  },
  'd2o-instance': {
    paper: D2O, says: 'A distribution of own answers does better than a sigmoid for each.', numbers: 'the sign alone: harm falls further',
    better: 'd2o', than: 'd2o-instance', measure: 'satisfied',
  },
};
