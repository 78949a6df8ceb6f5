// What each method has to show on real data: its recipe, the data, and the metric on held-out rows that must move, its interval excluding zero.
const small = ['data.eval=200', 'data.maxTokens=192', 'data.onLong=skip', 'data.junk=skip', 'train.steps=24', 'train.batch=8', 'train.checkpointEvery=0'];

const lower = (data, { metric = 'loss', recipe, set = [] } = {}) => ({ data, metric, better: 'lower', recipe, set: [...small, ...set] });
const higher = (data, metric, { recipe, set = [] } = {}) => ({ data, metric, better: 'higher', recipe, set: [...small, ...set] });

/** By the name of the recipe. A name after a slash is a variant of it. */
export const PLAN = {
  'sft': lower('alpaca_sft.jsonl'),
  'safe-sft': lower('safety_tuned_responses.jsonl'),
  'forward-prediction': lower('cut_iter2.jsonl'),
  'hindsight': lower('cut_iter2.jsonl'),
  'hindsight-reward': lower('scored', { set: ['method.threshold=0.5'] }),
  'cut': lower('cut_iter2.jsonl'),
  'ilf': lower('shepherd.jsonl', { set: ['data.columns={refinement: reference}', 'data.maxTokens=384'] }),
  'ilf-dpo': lower('shepherd.jsonl', { set: ['data.columns={refinement: reference}', 'data.maxTokens=384'] }),
  'unlikelihood': lower('votes'),
  'gradient-ascent': lower('negatives'),
  'npo': lower('negatives'),
  'sim-npo': lower('negatives'),
  'd2o': lower('negatives', { set: ['data.limit=280', 'rows.make=self-correct', 'rows.samples=5', 'method.k=2', 'rows.maxNewTokens=32', 'rows.every=0', 'train.steps=10'] }),
  'dpo': lower('pairs'),
  ...Object.fromEntries(['ipo-sum', 'ipo-mean', 'hinge', 'apo-zero', 'apo-down', 'nca', 'robust', 'aot'].map((loss) => [`dpo/${loss}`, lower('pairs', { recipe: 'dpo', set: [`method.loss=${loss}`] })])),
  'slic': higher('pairs', 'accuracy'),
  'simpo': higher('pairs', 'accuracy'),
  'orpo': higher('pairs', 'accuracy'),
  'cpo': higher('pairs', 'accuracy'),
  'kto': lower('votes'),
  'bco': lower('votes'),
  'choice': lower('choices'),
  'reward-model': lower('pairs'),
  'principle-reward-model': lower('principled'),
  'principle-choice': lower('principled'),
  'classifier': lower('surge_toxicity.jsonl', { set: ['method.labels=[Toxic, Not Toxic]'] }),
};
