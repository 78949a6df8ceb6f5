// @ts-check
// npm run judges [-- names] [--dev] [--untaught] [--set key=value …] [--python PATH]: teaches each judge and asks it about held-out rows. Writes experiments/judges/<name>.json.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { askAll } from './ask.js';
import { countWords } from './bag-of-words.js';
import { judgeRows } from './data.js';
import { balanced, clustered, majority, pairedBalanced } from './metrics.js';
import { JUDGES } from './plan.js';
import { runPreferences } from './preferences.js';
import { questionOf, YES_NO } from './questions.js';
import { teach } from './teach.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const from = process.env.HEED_DATA;
const { values: given, positionals } = parseArgs({ allowPositionals: true, options: { dev: { type: 'boolean', default: false }, untaught: { type: 'boolean', default: false }, set: { type: 'string', multiple: true, default: [] }, python: { type: 'string', default: 'python3' } } });
if (from === undefined) {
  console.error('Say where the research data are: HEED_DATA=<folder> npm run judges. They are not part of Heed; experiments/judges/README.md lists them.');
  process.exit(2);
}
const unknown = positionals.filter((name) => !(name in JUDGES));
if (unknown.length > 0) {
  console.error(`There is no judge ${unknown.join(', ')}; there are ${Object.keys(JUDGES).join(', ')}.`);
  process.exit(2);
}

const machine = `${cpus()[0].model.trim()}, ${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GiB`;
/** Rows that the taught judge is asked about with int8 weights too. */
const INT8 = 100;
const { version } = JSON.parse(readFileSync(join(ROOT, 'packages/heed/package.json'), 'utf8'));

for (const name of positionals.length > 0 ? positionals : Object.keys(JUDGES)) {
  const plan = { ...JUDGES[name], set: [...JUDGES[name].set, ...given.set] };
  const about = { judge: name, recipe: `recipes/judge-${name}.yaml`, data: plan.data, evidence: `HEED_DATA=<folder> npm run judges -- ${name}`, seed: 0, machine, heed: version };
  const work = join(tmpdir(), 'heed-judges', name);
  mkdirSync(work, { recursive: true });
  const settings = { from, work, untaught: given.untaught, dev: given.dev, python: given.python };
  const result = { ...about, ...(await (name === 'preferences' ? runPreferences(plan, settings) : runYesNo(name, plan, settings))) };
  if (given.dev) console.log(JSON.stringify(result, null, 2));
  else writeFileSync(join(ROOT, 'experiments/judges', `${name}.json`), `${JSON.stringify(result, null, 2)}\n`);
}

/** KL of two-way choices, in nats, where neither answer is certain. */
function divergence(p, q) {
  return p * Math.log(p / q) + (1 - p) * Math.log((1 - p) / (1 - q));
}

async function runYesNo(name, plan, { dev, python, work }) {
  const parts = judgeRows(name, from, plan.sizes);
  parts.train = parts.train.slice(0, plan.teach);
  const asked = dev ? parts.dev : parts.heldOut;
  const rowsOf = (rows) => rows.map(({ fields, yes }) => ({ prompt: questionOf(name, fields), choices: YES_NO, label: yes ? 0 : 1 }));
  const { adapter, command, summary } = await teach(`judge-${name}`, rowsOf(parts.train), { work, set: plan.set });
  const questions = asked.map(({ fields }) => ({ messages: questionOf(name, fields) }));
  const untaught = await askAll({}, questions, YES_NO);
  const taught = await askAll({ adapter }, questions, YES_NO);
  const rounded = await askAll({ adapter, precision: 'int8' }, questions.slice(0, INT8), YES_NO);
  const words = countWords(parts.train, asked, { work, python });
  const rows = asked.map(({ group, yes }, i) => ({ group, yes, says: { untaught: untaught[i].first > 0.5, taught: taught[i].first > 0.5, words: words.says[i] } }));

  const of = (who) => ({
    balancedAccuracy: clustered(rows, (some) => balanced(some.map((row) => ({ yes: row.yes, says: row.says[who] })))),
    accuracy: clustered(rows, (some) => some.filter((row) => row.yes === row.says[who]).length / some.length),
    saysYes: rows.filter((row) => row.says[who]).length,
  });
  const measured = { untaught: of('untaught'), taught: of('taught'), bagOfWords: of('words') };
  const beyond = pairedBalanced(rows, 'taught', 'words');
  const { taught: mine } = measured;
  const result = {
    command, trainedOn: parts.train.length, steps: summary.steps, seconds: summary.seconds, askedOn: dev ? 'dev' : 'held out',
    rows: rows.length, prompts: new Set(rows.map(({ group }) => group)).size, yes: rows.filter(({ yes }) => yes).length, majority: majority(rows),
    ...measured, wordModel: { model: words.model, library: words.library, crossValidated: words.crossValidated },
    taughtLessBagOfWords: beyond,
    int8: { rows: rounded.length, sameVerdict: rounded.filter(({ first }, i) => first > 0.5 === taught[i].first > 0.5).length, meanKl: rounded.reduce((sum, { first }, i) => sum + divergence(taught[i].first, first), 0) / rounded.length },
    shown: { aboveChance: mine.balancedAccuracy.low > 0.5, aboveMajority: mine.accuracy.low > majority(rows), aboveBagOfWords: beyond.low > 0 },
  };
  const show = ({ mean, low, high }) => `${mean.toFixed(3)} [${low.toFixed(3)}, ${high.toFixed(3)}]`;
  console.error(`${name}, ${rows.length} rows: untaught ${show(measured.untaught.balancedAccuracy)}, taught ${show(mine.balancedAccuracy)}, bag of words ${show(measured.bagOfWords.balancedAccuracy)} (${words.model}), difference ${show(beyond)}`);
  return result;
}
