// @ts-check
// The methods that are compared, each as its recipe ships it but for what stands here.

/**
 * @typedef {object} Contender
 * @property {string} recipe
 * @property {'judged' | 'labelled' | 'good' | 'negative' | 'preference'} rows What of the 150 judged answers it learns from.
 * @property {string[]} [set] Settings that the recipe does not have, key=value.
 */

/** @type {Record<string, Contender>} */
export const CONTENDERS = {
  'cut': { recipe: 'cut', rows: 'judged' },
  'hindsight': { recipe: 'hindsight', rows: 'judged' },
  'forward-prediction': { recipe: 'forward-prediction', rows: 'judged' },
  'sft': { recipe: 'sft', rows: 'good' },
  'unlikelihood': { recipe: 'unlikelihood', rows: 'labelled' },
  'kto': { recipe: 'kto', rows: 'labelled' },
  'bco': { recipe: 'bco', rows: 'labelled' },
  'dpo': { recipe: 'dpo', rows: 'preference' },
  'simpo': { recipe: 'simpo', rows: 'preference' },
  'orpo': { recipe: 'orpo', rows: 'preference' },
  'd2o': { recipe: 'd2o', rows: 'negative' },
  'npo': { recipe: 'npo', rows: 'negative', set: ['method.retain=0'] },
  'sim-npo': { recipe: 'sim-npo', rows: 'negative', set: ['method.retain=0'] },
  'gradient-ascent': { recipe: 'gradient-ascent', rows: 'negative' },
  'cut-ratio': { recipe: 'cut', rows: 'judged', set: ['method.quoted=ratio'] },
  'd2o-instance': { recipe: 'd2o', rows: 'negative', set: ['method.level=instance'] },
};
