// @ts-check
// Methods on equal terms: the same 150 judged answers, three seeds, and held-out briefs that rules measure.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { UsageError } from '../shared/data.js';
import { MODEL, heed, quote } from '../shared/heed.js';
import { SEEDS } from '../shared/results.js';
import { CONTENDERS } from './contenders.js';
import { MAX_TOKENS, TASKS, briefsOf, rowsOf } from './tasks.js';

export { tables } from './tables.js';

export const about = "methods on the same judged answers, over seeds; the papers' claims in small";

export const names = Object.keys(TASKS).flatMap((task) => Object.keys(CONTENDERS).map((contender) => `${task}/${contender}`));

/** What is kept of a contender's answers: enough to compare them, prompt by prompt, with any other's. */
const measuresOf = (task, found, place) => ({
  measured: found.contenders[place].measured,
  satisfied: found.prompts.map(({ answers }) => (answers[place].rated.satisfied ? 1 : 0)),
  // A check finds one fault or none.
  findings: found.prompts.map(({ answers }) => {
    const { satisfied, findings } = answers[place].rated;
    return TASKS[task].check === undefined ? findings.length : Number(!satisfied);
  }),
  words: found.prompts.map(({ answers }) => answers[place].text.trim().split(/\s+/).length),
  cutOff: found.prompts.map(({ answers }) => (answers[place].finish === 'length' ? 1 : 0)),
});

/** @param {string} name @param {import('../run.js').Settings} settings */
export async function run(name, { work, dev, set }) {
  if (dev && set.length === 0) throw new UsageError('--dev tries settings: name some, key=value.');
  const [task, contender] = name.split('/');
  const { recipe, rows: kind, set: own = [] } = CONTENDERS[contender];
  const { file, ...counts } = await rowsOf(task, kind, work);
  const seeds = dev ? SEEDS.slice(0, 1) : SEEDS;
  const tried = set.map((word) => word.replace(/[^\w.=-]+/g, '-')).join('_');
  const dir = join(work, `${name.replace('/', '-')}${dev ? `-dev-${tried}` : ''}`);
  const asked = [`recipes/${recipe}.yaml`, `train.seed=${seeds.join(',')}`, 'samples.prompts=0', ...own, ...set];
  await heed(['sweep', ...asked, `data={ path: ${file}, junk: skip }`, `run.dir=${dir}`]);
  const runs = seeds.map((seed) => join(dir, `seed=${seed}`));
  const { result: found } = await heed(['compare', 'base', ...runs.map((run, i) => `seed-${seeds[i]}=${run}`),
    '--prompts', briefsOf(task, dev ? 'dev' : 'heldout', work), '--reward', TASKS[task].reward,
    '--max-tokens', String(MAX_TOKENS), '--keep', join(work, 'kept')]);
  const result = {
    task, rule: TASKS[task].about, contender, model: MODEL, heldOut: found.rows,
    command: `heed sweep ${asked.map(quote).join(' ')}`,
    ...counts,
    base: measuresOf(task, found, 0),
    seeds: runs.map((run, i) => ({ seed: seeds[i], ...spentIn(run), ...measuresOf(task, found, i + 1) })),
  };
  return { result, lines: found.duels.map(lineOf), shown: found.duels.every(({ change }) => change.satisfied.low > 0) };
}

/** What a run took. */
function spentIn(run) {
  const file = join(run, 'summary.json');
  if (!existsSync(file)) throw new Error(`${file} is missing: the run did not finish.`);
  const { rows, steps, tokens, trainingSeconds, seconds, peakRssMb } = JSON.parse(readFileSync(file, 'utf8'));
  return { learnt: rows, steps, tokens, trainingSeconds, seconds, peakRssMb };
}

const lineOf = ({ name, change: { satisfied: { mean, low, high } } }) =>
  `${name}: satisfied ${mean > 0 ? '+' : ''}${mean.toFixed(3)} [${low.toFixed(3)}, ${high.toFixed(3)}]`;
