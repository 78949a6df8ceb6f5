// @ts-check
// The loops that are run, all on the briefs of the house style, with as many answers drawn from the policy in each.
const HOUSE = 'examples/house-style';
const RULES = `"rules:${HOUSE}/house-style.rules.yaml"`;

/** 20 rounds of 8 prompts × 4 answers: 640 answers a run. Held out: 64 briefs, answered at temperature 1 before and after. */
export const COMMON = [
  'loop.iterations=20',
  'generate={ prompts: 8, samples: 4, maxNewTokens: 72, temperature: 1 }',
  `evaluate={ prompts: ${HOUSE}/heldout.jsonl, limit: 64, maxNewTokens: 72, temperature: 1, reward: ${RULES} }`,
  `data={ path: ${HOUSE}/train.jsonl }`,
];

/** Policy gradients take one optimizer step a round, at 3e-4. */
const GRADIENT = ['train.learningRate=3e-4'];

/**
 * @typedef {object} Loop
 * @property {string} recipe
 * @property {string} teacher What says which answer is better.
 * @property {string[]} set
 * @property {boolean} [needsRewardModel] A reward model is taught first: on 384 answers of the base.
 */

/** @type {Record<string, Loop>} */
export const PLAN = {
  'rloo': { recipe: 'rloo', teacher: 'share of rules that hold', set: GRADIENT },
  'grpo': { recipe: 'grpo', teacher: 'share of rules that hold', set: GRADIENT },
  'reinforce': { recipe: 'reinforce', teacher: 'share of rules that hold', set: GRADIENT },
  'ppo': { recipe: 'ppo', teacher: 'share of rules that hold', set: GRADIENT },
  'online-dpo': { recipe: 'online-dpo', teacher: 'best against worst by share of rules', set: [] },
  'best-of-n': { recipe: 'best-of-n', teacher: 'best by share of rules', set: [] },
  'online-cut': { recipe: 'cut-online', teacher: 'judgments that the rules write', set: ['loop.fresh=false'] },
  'rlaif': { recipe: 'rlaif', teacher: 'a reward model of pairs that the rules labelled', set: GRADIENT, needsRewardModel: true },
};
