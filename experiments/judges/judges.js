// @ts-check
// Judges that are taught with their recipes and asked, untaught and taught, about held-out rows.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { askAll } from './ask.js';
import { countWords } from './bag-of-words.js';
import { judgeRows } from './data.js';
import { balanced, clustered, majority, pairedBalanced } from './metrics.js';
import { JUDGES } from './plan.js';
import { runPreferences } from './preferences.js';
import { questionOf, YES_NO } from './questions.js';
import { teach } from './teach.js';

export { tables } from './tables.js';
export const about = 'judges of toxicity, refusals, truth and pairs, before and after they are taught';
export const names = Object.keys(JUDGES);

/** Rows that the taught judge is asked about with int8 weights too. */
const INT8 = 100;

/** @param {string} name @param {import('../run.js').Settings} settings */
export async function run(name, settings) {
  const plan = { ...JUDGES[name], set: [...JUDGES[name].set, ...settings.set] };
  const work = join(settings.work, name);
  mkdirSync(work, { recursive: true });
  const { result, lines } = await (name === 'preferences'
    ? runPreferences(plan, { ...settings, work })
    : runYesNo(name, plan, { ...settings, work }));
  const evidence = `HEED_DATA=<folder> npm run judges -- ${name}`;
  return { result: { judge: name, recipe: `recipes/judge-${name}.yaml`, data: plan.data, evidence, seed: 0, ...result }, lines };
}

/** KL of two-way choices, in nats, where neither answer is certain. */
function divergence(p, q) {
  return p * Math.log(p / q) + (1 - p) * Math.log((1 - p) / (1 - q));
}

/** @param {string} name @param {any} plan @param {import('../run.js').Settings} settings */
async function runYesNo(name, plan, { dev, python, work }) {
  const parts = judgeRows(name, plan.sizes);
  parts.train = parts.train.slice(0, plan.teach);
  const asked = dev ? parts.dev : parts.heldOut;
  const rowsOf = (rows) => rows.map(({ fields, yes }) => ({ prompt: questionOf(name, fields), choices: YES_NO, label: yes ? 0 : 1 }));
  const { adapter, command, summary } = await teach(`judge-${name}`, rowsOf(parts.train), { work, set: plan.set });
  const questions = asked.map(({ fields }) => ({ messages: questionOf(name, fields) }));
  const untaught = await askAll({}, questions, YES_NO);
  const taught = await askAll({ adapter }, questions, YES_NO);
  const rounded = await askAll({ adapter, precision: 'int8' }, questions.slice(0, INT8), YES_NO);
  const words = countWords(parts.train, asked, { work, python });
  const rows = asked.map(({ group, yes }, i) => ({
    group,
    yes,
    says: { untaught: untaught[i].first > 0.5, taught: taught[i].first > 0.5, words: words.says[i] },
  }));

  const of = (who) => ({
    balancedAccuracy: clustered(rows, (some) => balanced(some.map((row) => ({ yes: row.yes, says: row.says[who] })))),
    accuracy: clustered(rows, (some) => some.filter((row) => row.yes === row.says[who]).length / some.length),
    saysYes: rows.filter((row) => row.says[who]).length,
  });
  const measured = { untaught: of('untaught'), taught: of('taught'), bagOfWords: of('words') };
  const beyond = pairedBalanced(rows, 'taught', 'words');
  const { taught: mine } = measured;
  const result = {
    command,
    trainedOn: parts.train.length,
    steps: summary.steps,
    seconds: summary.seconds,
    askedOn: dev ? 'dev' : 'held out',
    rows: rows.length,
    prompts: new Set(rows.map(({ group }) => group)).size,
    yes: rows.filter(({ yes }) => yes).length,
    majority: majority(rows),
    ...measured,
    wordModel: { model: words.model, library: words.library, crossValidated: words.crossValidated },
    taughtLessBagOfWords: beyond,
    int8: {
      rows: rounded.length,
      sameVerdict: rounded.filter(({ first }, i) => first > 0.5 === taught[i].first > 0.5).length,
      meanKl: rounded.reduce((sum, { first }, i) => sum + divergence(taught[i].first, first), 0) / rounded.length,
    },
    shown: {
      aboveChance: mine.balancedAccuracy.low > 0.5,
      aboveMajority: mine.accuracy.low > majority(rows),
      aboveBagOfWords: beyond.low > 0,
    },
  };
  const show = ({ mean, low, high }) => `${mean.toFixed(3)} [${low.toFixed(3)}, ${high.toFixed(3)}]`;
  const line =
    `${rows.length} rows: untaught ${show(measured.untaught.balancedAccuracy)}, taught ${show(mine.balancedAccuracy)}, `
    + `bag of words ${show(measured.bagOfWords.balancedAccuracy)} (${words.model}), difference ${show(beyond)}`;
  return { result, lines: [line] };
}
