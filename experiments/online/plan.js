// @ts-check
// The loops that are run, all on the briefs of the house style, with as many answers drawn from the policy in each. What each learns, and
// the limit of the constrained one, was fixed before its first run.
const HOUSE = 'examples/house-style';
const RULES = `"rules:${HOUSE}/house-style.rules.yaml"`;
export const PRINCIPLES = 'experiments/online/house.principles.yaml';

/** 20 rounds of 8 prompts × 4 answers: 640 answers a run. Held out: 64 briefs, answered at temperature 1 before and after. */
export const COMMON = [
  'loop.iterations=20',
  'generate={ prompts: 8, samples: 4, maxNewTokens: 72, temperature: 1 }',
  `evaluate={ prompts: ${HOUSE}/heldout.jsonl, limit: 64, maxNewTokens: 72, temperature: 1, reward: ${RULES} }`,
  `data={ path: ${HOUSE}/train.jsonl }`,
];

/** Policy gradients take one optimizer step a round, at 3e-4. */
const GRADIENT = ['train.learningRate=3e-4'];

/** The 16 demonstrations of the house style, in place of the briefs that have none. */
const DEMONSTRATIONS = `data={ path: ${HOUSE}/demonstrations.jsonl }`;

/** The house style as a question to a judge of ratings. */
const RATE = 'Below are a conversation, which asks for a product text, and a response. A good text speaks about the product in the '
  + 'third person, without praise, promises or exclamation marks. Rate how good the response is, from 1 (useless) to 10 (it could not be '
  + 'better).';

/** The mean of words above 25, in tens, that is tolerated: three words. */
export const LIMIT = 0.3;

/**
 * @typedef {object} Loop
 * @property {string} recipe
 * @property {string} page Its page under docs/.
 * @property {string} teacher What says which answer is better.
 * @property {string} row What is learnt from, in the plural.
 * @property {number} [rowsOf] Rows of each unit that `trainedOn` counts: policy gradients count groups of 4 answers. Default: 1.
 * @property {string[]} set
 * @property {'pairs' | 'principles'} [rewardModel] A reward model is taught first, on 384 answers of the base that the rules labelled.
 * @property {boolean} [asks] A judge is asked, whose replies are kept.
 */

/** What policy gradients learn from. */
const ANSWERS = { row: 'answers', rowsOf: 4 };

/** What policy gradients by the rules share. */
const BY_RULES = { teacher: 'share of rules that hold', ...ANSWERS, set: GRADIENT };

/** @type {Record<string, Loop>} */
export const PLAN = {
  'rloo': { recipe: 'rloo', page: 'methods/rloo.md', ...BY_RULES },
  'grpo': { recipe: 'grpo', page: 'methods/grpo.md', ...BY_RULES },
  'reinforce': { recipe: 'reinforce', page: 'methods/reinforce.md', ...BY_RULES },
  'ppo': { recipe: 'ppo', page: 'methods/ppo.md', ...BY_RULES },
  'constrained': {
    recipe: 'constrained', page: 'policy-gradient.md',
    teacher: 'share of rules that hold; a cost of words above 25, with a limit', ...ANSWERS,
    set: [...GRADIENT, `constraints=[{ name: words, cost: "examples/rewards.js#words", limit: ${LIMIT}, lambda: 1, max: 10 }]`],
  },
  'online-dpo': {
    recipe: 'online-dpo', page: 'loops/online-dpo.md', teacher: 'best against worst by share of rules', row: 'pairs', set: [],
  },
  'best-of-n': { recipe: 'best-of-n', page: 'loops/best-of-n.md', teacher: 'best by share of rules', row: 'answers', set: [] },
  'online-d2o': {
    recipe: 'online-d2o', page: 'loops/online-d2o.md',
    teacher: 'answers that break a rule, against own corrections', row: 'bad answers', set: [],
  },
  'online-cut': {
    recipe: 'cut-online', page: 'methods/cut.md',
    teacher: 'judgments that the rules write', row: 'judged answers', set: ['loop.fresh=false'],
  },
  'spin': { recipe: 'spin', page: 'loops/spin.md', teacher: '16 demonstrations', row: 'pairs', set: [DEMONSTRATIONS] },
  'adversarial': {
    recipe: 'adversarial', page: 'loops/adversarial.md',
    teacher: 'a critic that learns along, from 16 demonstrations', ...ANSWERS, set: [DEMONSTRATIONS, ...GRADIENT],
  },
  'rlaif': {
    recipe: 'rlaif', page: 'loops/rlaif.md', rewardModel: 'pairs',
    teacher: 'a reward model of pairs that the rules labelled', ...ANSWERS, set: GRADIENT,
  },
  'salmon': {
    recipe: 'salmon', page: 'loops/salmon.md', rewardModel: 'principles',
    teacher: 'a reward model that reads the style as principles, of pairs that the rules labelled', ...ANSWERS,
    // A run that ends at the first alarm would have drawn fewer answers.
    set: [...GRADIENT, 'watch={ stop: false }'],
  },
  'direct-rlaif': {
    recipe: 'direct-rlaif', page: 'loops/rlaif.md', asks: true,
    teacher: 'ratings by the untaught model itself, which is asked for the style', ...ANSWERS,
    set: [...GRADIENT, `reward={ scores: { judge: { local: {} }, criterion: helpful, preamble: "${RATE}" } }`],
  },
  'constitutional': {
    recipe: 'constitutional', page: 'loops/constitutional.md', asks: true,
    teacher: 'revisions by the untaught model itself, under the style as principles', row: 'pairs',
    set: [
      `label={ name: revisions, principles: ${PRINCIPLES}, rounds: 1, critique: ask, maxNewTokens: { critique: 48, revision: 96 } }`,
      'allowedFailures=1',
    ],
  },
};
