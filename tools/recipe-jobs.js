// @ts-check
// How tools/same-numbers.js runs each recipe: with which verb, and with which settings, so that a run takes few steps on little data.
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';

const TRAIN = ['train.batch=2', 'train.steps=3', 'train.checkpointEvery=0'];
/** Recipes whose rows the model writes: as many rows as the steps take, of few tokens. */
const WRITES_ROWS = [...TRAIN, 'data.limit=6', 'rows.maxNewTokens=32'];
const LOOP = ['data.limit=10', 'generate.maxNewTokens=32', 'evaluate.limit=2', 'evaluate.maxNewTokens=16'];
const ALIGN = [...LOOP, ...TRAIN, 'loop.iterations=2'];
/** Answers are learnt whole or not at all, and pairs need two of them. */
const ALIGN_ROWS = [...ALIGN, 'generate.maxNewTokens=64', 'generate.samples=4'];
/** Methods that take no train.steps: each of three rounds is a step or two. */
const ROLLOUTS = ['rloo', 'grpo', 'reinforce', 'ppo'];
const ALIGN_ROLLOUTS = [
  ...LOOP, 'train.batch=3', 'train.checkpointEvery=0', 'generate.prompts=3', 'generate.samples=4', 'loop.iterations=3',
];
const CONTROL = [
  ...['facts', 'stories', 'style'].flatMap((task) => [`tasks.${task}.data.limit=6`, `tasks.${task}.heldOut.limit=2`]),
  'generate={ maxNewTokens: 8, prompts: 4, samples: 2 }',
  'grid.samples=2',
  'learn.rounds=2',
  'evaluate.samples=1',
];
/** A tiny model writes nothing usable: all rows may fail. The reasons are compared too. */
const LABEL = ['data.limit=4', 'allowedFailures=1'];

/**
 * Recipes that need the adapter of another one: which, what is set there, and the section that names the adapter and its model.
 *
 * @type {Record<string, { recipe: string, set: string[], section: string }>}
 */
const TEACHERS = {
  'cut-online-judge': { recipe: 'judge-judgments', set: [], section: 'judge.local' },
  'rlaif': { recipe: 'reward-model', set: [], section: 'reward.rewardModel' },
  'salmon': { recipe: 'principle-reward-model', set: [], section: 'reward.rewardModel' },
  'against-classifier': {
    recipe: 'classifier', set: ['data=examples/pushy.jsonl', 'method.labels=[pushy,plain]'], section: 'rewards.plain.detector',
  },
};

/** The models that a recipe asks beside its own and its teacher's. @type {Record<string, string[]>} */
const ASKED = { 'constitutional': ['judge.local.model'], 'direct-rlaif': ['reward.scores.judge.local.model'] };

/** Settings of single recipes, beside those of their kind. @type {Record<string, string[]>} */
const MORE = {
  'd2o': ['rows.samples=4', 'rows.every=2'],
  // Enough answers that a few of a tiny model's end by themselves.
  'cut-online': ['generate.maxNewTokens=64', 'generate.samples=8'],
  'quickstart': ['generate.maxNewTokens=64', 'generate.samples=8'],
  // The judge has learnt for three steps and judges badly, so answers without a judgment are allowed.
  'cut-online-judge': ['allowedFailures=1', 'label.maxNewTokens=48'],
  'constitutional': ['allowedFailures=1'],
  'online-d2o': ['rows.maxNewTokens=48'],
  'label-judgments': ['label.maxNewTokens=48'],
  'label-revisions': ['label.rounds=1', 'label.maxNewTokens={critique: 32, revision: 64}'],
};

/** The names of the recipes of a checkout. @param {string} checkout */
export function recipesOf(checkout) {
  const files = readdirSync(path.join(checkout, 'recipes')).filter((name) => name.endsWith('.yaml'));
  return files.map((name) => path.basename(name, '.yaml')).sort();
}

/** @typedef {'train' | 'align' | 'label' | 'control' | 'evaluate'} Verb */

/**
 * A run of `heed`.
 *
 * @typedef {object} Job
 * @property {Verb} verb
 * @property {string} recipe
 * @property {string[]} set Settings, `key=value` each; without the folder of the run.
 * @property {string[]} [before] The words of a command of `heed` that writes a file for it.
 * @property {Job} [teacher] What runs before it, in `teacherFolder` of its own folder: it needs that adapter.
 */

/**
 * The verb that a recipe's own comment names; without such a comment, the one that its sections need.
 *
 * @param {string} name @param {string} text @returns {Verb}
 */
function verbOf(name, text) {
  const named = text.match(new RegExp(`^#.*\\bheed (train|align|label|control|evaluate) recipes/${name}\\.yaml`, 'm'))?.[1];
  if (named !== undefined) return /** @type {Verb} */ (named);
  const has = (/** @type {string} */ section) => new RegExp(`^${section}:`, 'm').test(text);
  if (has('actions')) return 'control';
  if (has('tasks')) return 'evaluate';
  if (!has('method')) return 'label';
  return has('evaluate') ? 'align' : 'train';
}

/** @param {Verb} verb @param {string} text */
function settingsOf(verb, text) {
  const has = (/** @type {string} */ section) => new RegExp(`^${section}:`, 'm').test(text);
  if (verb === 'align') {
    const method = text.match(/^method:\s*(?:name:\s*)?\{?\s*(?:name:\s*)?([\w-]+)/m)?.[1] ?? '';
    if (ROLLOUTS.includes(method)) return ALIGN_ROLLOUTS;
    return has('rows') || has('label') ? ALIGN_ROWS : ALIGN;
  }
  if (verb === 'train') return has('rows') ? WRITES_ROWS : TRAIN;
  return { label: LABEL, control: CONTROL, evaluate: [] }[verb];
}

/** Where the teacher of a run works. @param {string} folder Of the run. */
export const teacherFolder = (folder) => `${folder}-teacher`;

/**
 * How a recipe is run.
 *
 * @param {{ checkout: string, model: string | undefined }} where
 * @param {string} name @param {string} folder Where it will run.
 * @returns {Job}
 */
export function jobOf({ checkout, model }, name, folder) {
  const text = readFileSync(path.join(checkout, 'recipes', `${name}.yaml`), 'utf8');
  const verb = verbOf(name, text);
  const teacher = TEACHERS[name];
  const modelOf = (/** @type {string[]} */ keys) => (model === undefined ? [] : keys.map((key) => `${key}=${model}`));
  const own = verb === 'label' ? 'judge.local.model' : 'model';
  const set = [
    ...settingsOf(verb, text),
    ...(/^store:/m.test(text) ? [`store=${folder}.db`] : []),
    ...(teacher ? [`${teacher.section}.adapter=${path.join(teacherFolder(folder), 'adapter')}`] : []),
    ...(MORE[name] ?? []),
    ...modelOf([own, ...(teacher ? [`${teacher.section}.model`] : []), ...(ASKED[name] ?? [])]),
  ];
  if (name === 'inferred') {
    const file = `${folder}-values.json`;
    return { verb, recipe: name, set: [...set, `reward.inferred.file=${file}`], before: ['infer', 'examples/values.jsonl', '-o', file] };
  }
  if (teacher === undefined) return { verb, recipe: name, set };
  const taught = [...TRAIN, ...teacher.set, ...modelOf(['model'])];
  return { verb, recipe: name, set, teacher: { verb: 'train', recipe: teacher.recipe, set: taught } };
}
