// @ts-check
// What the controller chooses among, and the prompts that it is measured on.
const HOUSE = 'examples/house-style';
export const RULES = `${HOUSE}/house-style.rules.yaml`;

/** Most tokens of an answer, and answers to a held-out prompt. */
export const [MAX_TOKENS, SAMPLES] = [64, 4];

/**
 * The grid of temperature and top-k, which the best fixed setting is searched in: the likeliest token, and three temperatures by three
 * sizes of the kept set.
 *
 * @type {Record<string, { temperature: number, topK?: number }>}
 */
export const CELLS = {
  'greedy': { temperature: 0 },
  'cool-5': { temperature: 0.3, topK: 5 }, 'cool-50': { temperature: 0.3, topK: 50 }, 'cool': { temperature: 0.3 },
  'warm-5': { temperature: 0.7, topK: 5 }, 'warm-50': { temperature: 0.7, topK: 50 }, 'warm': { temperature: 0.7 },
  'hot-5': { temperature: 1, topK: 5 }, 'hot-50': { temperature: 1, topK: 50 }, 'hot': { temperature: 1 },
};

/** The recipe's two masks: no setting of temperature and top-k does what they do. */
const MASKS = {
  brief: { temperature: 0.3, endBias: { add: 2, after: 16 } },
  sober: { temperature: 0.3, badWords: ['!', 'perfect', 'beautiful', 'you', 'your', 'You'] },
};

/** A cell in words. @param {string} name */
export function inWords(name) {
  if (!(name in CELLS)) return name;
  const { temperature, topK } = CELLS[name];
  return temperature === 0 ? 'greedy' : `${temperature}, ${topK === undefined ? 'all' : topK}`;
}

/** @param {boolean} dev */
export const heldOut = (dev) => `${HOUSE}/${dev ? 'dev' : 'heldout'}.jsonl`;

/** @param {boolean} dev */
const houseTask = (dev) =>
  `tasks={ style: { data: { path: ${HOUSE}/train.jsonl }, reward: "rules:${RULES}", heldOut: { path: ${heldOut(dev)} } } }`;

/** 30 rounds of 16 prompts × 8 answers, after a grid of 12 actions × 4 answers on 0.3 of the training prompts. */
const COMMON = [
  `actions=${JSON.stringify({ ...CELLS, ...MASKS })}`,
  `generate={ maxNewTokens: ${MAX_TOKENS}, prompts: 16, samples: 8 }`,
  'learn.rounds=30',
  `evaluate={ samples: ${SAMPLES} }`,
];

/**
 * The prompts, by the experiment's name. `cells`: the controller is also set against the best cell where that is not the best of all.
 *
 * @type {Record<string, { about: string, cells: boolean, set: (dev: boolean) => string[] }>}
 */
export const PLAN = {
  house: { about: 'the house style', cells: true, set: (dev) => [houseTask(dev), ...COMMON] },
  mixed: { about: 'facts, stories and the house style', cells: false, set: () => COMMON },
};
