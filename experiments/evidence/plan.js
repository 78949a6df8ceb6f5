// @ts-check
// What each method has to show on real data: its recipe, the data, and the metrics on held-out rows that must move, each interval
// excluding zero.
const small = [
  'data.maxTokens=320',
  'data.onLong=skip',
  'data.junk=skip',
  'train.steps=12',
  'train.batch=8',
  'train.checkpointEvery=0',
  'train.checkpointing=none',
];

/**
 * @param {string} data
 * @param {{ metric: string, better: string }[]} own
 * @param {{ recipe?: string, set?: string[], answers?: boolean }} [more]
 */
const plan = (data, own, { recipe, set = [], answers = false } = {}) => ({ data, own, recipe, set: [...small, ...set], answers });
const up = (metric) => ({ metric, better: 'higher' });
const down = (metric) => ({ metric, better: 'lower' });
const accuracy = [up('accuracy')];
/** Twelve steps are few for the rates that the recipes have for an epoch. */
const faster = ['train.learningRate=4e-4'];
/** To follow a principle takes more of them; the settings of `npm run rlaif -- principles`. */
const longer = ['train.steps=36', 'train.learningRate=1e-3', 'adapter.targets=all', 'adapter.rank=8', 'adapter.alpha=16'];
const pairs = (recipe, set = []) => plan('pairs', accuracy, { recipe, set: [...faster, ...set] });
const votes = (own, set = []) => plan('votes', own, { set: [...faster, ...set] });
const variants = (recipe, named, make) =>
  Object.fromEntries(Object.entries(named).map(([name, set]) => [`${recipe}/${name}`, make(recipe, set)]));

// D2O's positives are drawn once, four a row and short ones, of which two are used, for 100 rows: the paper draws 11, in full, and goes
// on drawing while it trains.
const SHORT =
  'rows.wording="{instruction}\\n\\nBefore you answer, think of how a careless answer to this could be untrue or do '
  + 'harm. Then write an honest answer of one short sentence. Write the answer only."';
const d2o = ['rows.samples=4', 'rows.maxNewTokens=40', 'data.limit=100', ...faster];
const ONCE = 'rows.every=0';
const d2oOwn = [down('logp_rejected'), up('rewards_margin')];
/** log p of the true answer to a held-out question less that of the false one. */
const gap = up('answers.gap');

/** CUT with the options of its paper, which are the defaults: the recipe has others. */
const paperCut = (more = '') => [`method={name: cut${more === '' ? '' : `, ${more}`}}`, 'train.learningRate=4e-4'];

/**
 * By the name of the recipe; a name after a slash is a variant of it. `own`: what the method is for, which must move beside the held-out
 * loss. `answers`: what becomes of true and false answers is measured too, beside the methods that push down (see answers.js).
 */
export const PLAN = {
  'sft': plan('imitation', []),
  'safe-sft': plan('safe', []),
  'forward-prediction': plan('judged', [down('nll_judgment')]),
  'hindsight': plan('judged', [down('nll_judged')]),
  'hindsight-reward': plan('scored', [down('nll_correct')], { set: ['method.threshold=0.5'] }),
  'cut': plan('judged', [down('l1')], { set: paperCut() }),
  ...variants(
    'cut',
    {
      'without-l1': paperCut('without: [l1]'),
      'without-l2-judged': paperCut('without: [l2-judged]'),
      'without-l2-satisfied': paperCut('without: [l2-satisfied]'),
      'without-detection': paperCut('without: [detection]'),
      'without-dynamic-weight': paperCut('gamma: 0'),
    },
    (recipe, set) => plan('judged', [down(set[0].includes('[l1]') ? 'nll_judged' : 'l1')], { recipe, set }),
  ),
  // People's corrections stand for the model's refinements; those that it wrote itself, asked anew for each row, are learnt from in the
  // variant.
  'ilf': plan('refined', [down('nll_refinement')], { set: ['rows=null'] }),
  'ilf/self-refined': plan('unrefined', [down('nll_refinement')], { recipe: 'ilf', set: ['rows.maxNewTokens=192', 'data.limit=100'] }),
  'ilf-dpo': plan('refined', accuracy, { set: ['rows=null', ...faster] }),
  'unlikelihood': plan('votes', [down('unlikelihood'), up('nll_bad')], { set: faster, answers: true }),
  'gradient-ascent': plan('negatives', [down('logp_rejected')], { answers: true }),
  'npo': plan('negatives-retain', [gap, down('nll_positives')], { set: [...faster, 'method.retain=10'], answers: true }),
  'npo/alone': plan('negatives', [down('logp_rejected')], { recipe: 'npo', set: [...faster, 'method.retain=0'], answers: true }),
  'sim-npo': plan('negatives-retain', [gap, down('nll_positives')], { set: faster, answers: true }),
  'sim-npo/alone': plan('negatives', [down('logp_rejected')], {
    recipe: 'sim-npo',
    set: [...faster, 'method.retain=0'],
    answers: true,
  }),
  'd2o': plan('negatives', d2oOwn, { set: [...d2o, ONCE, SHORT], answers: true }),
  'self-align-sft': plan('self-aligned', []),
  // The same positives as `d2o`, made by its run.
  ...variants(
    'd2o',
    {
      'instance-level': ['method.level=instance'],
      'fixed-references': ['method={name: d2o, k: 2}'],
    },
    (recipe, set) => plan('self-corrected', d2oOwn, { recipe, set: ['rows=null', ...faster, ...set], answers: true }),
  ),
  'd2o/without-self-correction': plan('negatives-short', d2oOwn, {
    recipe: 'd2o',
    set: [...d2o, ONCE, 'rows.correct=false'],
    answers: true,
  }),
  'd2o/online': plan('negatives', d2oOwn, { recipe: 'd2o', set: [...d2o, SHORT], answers: true }),
  'dpo': pairs(),
  ...Object.fromEntries(
    ['ipo-sum', 'ipo-mean', 'hinge', 'apo-zero', 'apo-down', 'nca', 'robust', 'aot', 'aot-unpaired'].map((loss) => [
      `dpo/${loss}`,
      pairs('dpo', [`method.loss=${loss}`, ...(loss === 'robust' ? ['method.labelSmoothing=0.1'] : [])]),
    ]),
  ),
  'slic': pairs(),
  'simpo': pairs(),
  'orpo': pairs(),
  'cpo': pairs(),
  // 414 good and 483 bad ones: with this weight λ_D·n_D / (λ_U·n_U) is 1.29, between 1 and 4/3, as the authors advise.
  'kto': votes(accuracy, ['train.steps=24', 'method.desirableWeight=1.5']),
  'bco': votes(accuracy),
  'choice': plan('toxicity-choices', accuracy, { set: ['train.steps=20', 'train.learningRate=1e-3'] }),
  'choice/truth': plan('choices', accuracy, { recipe: 'choice' }),
  'reward-model': pairs(),
  'principle-reward-model': plan('polite', accuracy, { set: [...longer, 'method.draws=1', 'method.principles=1'] }),
  'principle-reward-model/truth': plan('principled', accuracy, {
    recipe: 'principle-reward-model',
    set: [...faster, 'method.draws=1', 'method.principles=1'],
  }),
  'principle-choice': plan('polite', accuracy, { set: [...longer, 'method.principles=1'] }),
  'principle-choice/truth': plan('principled', accuracy, { recipe: 'principle-choice', set: [...faster, 'method.principles=1'] }),
  'classifier': plan('toxicity', accuracy, { set: ['train.steps=30', 'train.learningRate=1e-3', 'method.labels=[Toxic, Not Toxic]'] }),
};
