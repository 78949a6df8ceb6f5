// @ts-check
// A small model that writes judgments, and what CUT learns from them. What is there of an earlier run (runs/judgments, runs/walk) is used
// again; remove those folders to start anew.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pairedDifference } from '@heed/heed';
import { UsageError, lines } from '../shared/data.js';
import { MODEL, ROOT, heed, quote } from '../shared/heed.js';
import { recipeOn, tasks } from './recipe.js';
import { makeRows } from './rows.js';

export const about = 'a small judge that writes judgments, and what CUT learns from them';

/** CUT of few rows: the quickstart's settings, which dev.jsonl chose. */
const RATE = ['train.learningRate=1e-3', 'train.batch=6', 'train.schedule=constant'];
const FEW = ['method.gamma=0', 'method.endOfTurn=ignore', ...RATE];
const RULES = 'rules:examples/house-style/house-style.rules.yaml';

/**
 * Runs `heed`, once; its result.
 *
 * @param {string[]} args
 * @param {string} [made] A file that the command leaves behind: where that is there, the command is not run again.
 * @param {string} [from] Where its result is read from then.
 */
async function runOnce(args, made, from) {
  if (made !== undefined && existsSync(join(ROOT, made)))
    return from === undefined ? undefined : JSON.parse(readFileSync(join(ROOT, from), 'utf8'));
  console.error(`heed ${args.map(quote).join(' ')}`);
  return (await heed(args)).result;
}

/** Has a judge write judgments of judged rows; what they are worth against the rows' own verdicts. */
async function judged(data, name, judge, dir) {
  const report = await runOnce(
    [
      'label',
      'recipes/label-judgments.yaml',
      `data=${data}`,
      `judge={ local: ${judge} }`,
      'label={ name: judgments, maxNewTokens: 64 }',
      'allowedFailures=1',
      `run.dir=${dir}`,
      'store=runs/judgments/labels.db',
    ],
    join(dir, 'label-report.json'),
    join(dir, 'label-report.json'),
  );
  const {
    rows,
    labelled,
    failed,
    measures: { satisfied, quoting, misquotes, cut, human },
  } = report;
  return {
    judge: name,
    rows,
    judged: labelled,
    failed: failed.reasons,
    satisfied,
    quoting: { judgments: quoting, of: labelled - satisfied },
    misquotes,
    cut,
    ...(human === undefined
      ? {}
      : { ...human, aboveChance: human.balanced.low > 0.5, aboveMajority: human.accuracy.low > human.majority }),
  };
}

/** Online alignment with a judge that was taught; measured by the rules on held-out briefs, never by the judge. */
async function aligned(adapter, dir) {
  const { before, after, change, rounds, metric } = await runOnce([
    'align',
    'recipes/cut-online-judge.yaml',
    `judge={ local: { adapter: ${adapter} } }`,
    'label={ name: judgments, maxNewTokens: 64 }',
    'allowedFailures=1',
    ...FEW,
    'generate.samples=2',
    'loop.iterations=2',
    `run.dir=${dir}`,
    'store=runs/judgments/labels.db',
    '--overwrite',
  ]);
  return { metric, before, after, change, shown: after.satisfied.low > before.satisfied.high, rounds };
}

/** The paired change of findings an answer. */
function fewer(file) {
  const rows = lines(join(ROOT, file));
  const counts = (base) => rows.filter(({ by }) => (by === 'base') === base).map(({ findings }) => findings.length);
  return pairedDifference(counts(true), counts(false), { seed: 0 });
}

const STAGES = {
  /** Does a judge taught on published judgments tell good responses from bad ones, and quote them? */
  async quality() {
    const made = makeRows(join(ROOT, 'runs/judgments/data'));
    await runOnce(
      ['train', 'recipes/judge-judgments.yaml', 'data.path=runs/judgments/data/taught.jsonl', 'run.dir=runs/judgments/judge'],
      'runs/judgments/judge/adapter/adapter_model.safetensors',
    );
    return {
      what: 'judgments of responses to other prompts than the judge was taught with, against the data: null is satisfactory',
      data: 'cut_iter1-5 and shepherd; held out: cut_iter alone, as many satisfactory as not',
      ...made,
      results: [
        await judged('runs/judgments/data/held-out.jsonl', 'untaught', '{}', 'runs/judgments/untaught'),
        await judged(
          'runs/judgments/data/held-out.jsonl',
          'taught',
          '{ adapter: runs/judgments/judge/adapter }',
          'runs/judgments/taught',
        ),
      ],
    };
  },
  /** Raw answers → judgments by a taught judge → CUT → before and after. */
  async house() {
    const answers = (briefs, seed, to) =>
      runOnce(
        [
          'evaluate',
          '--prompts',
          `examples/house-style/${briefs}.jsonl`,
          '--judge',
          RULES,
          '--temperature',
          '0.8',
          '--seed',
          String(seed),
          '--max-tokens',
          '96',
          '-o',
          to,
        ],
        to,
      );
    await answers('dev', 1, 'runs/walk/judged-1.jsonl');
    await answers('dev', 2, 'runs/walk/judged-2.jsonl');
    const rows = spawnSync(process.execPath, ['examples/judgment-rows.js', 'runs/walk/judged-1.jsonl', 'runs/walk/judged-2.jsonl'], {
      cwd: ROOT,
      encoding: 'utf8',
    });
    if (rows.status !== 0) throw new Error(rows.stderr);
    writeFileSync(join(ROOT, 'runs/walk/judge-rows.jsonl'), rows.stdout);
    await runOnce(
      ['train', 'recipes/judge-judgments.yaml', 'data=runs/walk/judge-rows.jsonl', 'train.epochs=2', 'run.dir=runs/walk/judge'],
      'runs/walk/judge/adapter/adapter_model.safetensors',
    );
    await answers('train', 11, 'runs/walk/raw-1.jsonl');
    await answers('train', 12, 'runs/walk/raw-2.jsonl');
    const finished = ['runs/walk/raw-1.jsonl', 'runs/walk/raw-2.jsonl'].flatMap((file) =>
      readFileSync(join(ROOT, file), 'utf8')
        .split('\n')
        .filter((line) => line.includes('"finish":"stop"')),
    );
    writeFileSync(join(ROOT, 'runs/walk/answers.jsonl'), `${finished.join('\n')}\n`);
    const taught = await judged('runs/walk/answers.jsonl', 'taught', '{ adapter: runs/walk/judge/adapter }', 'runs/walk/labels');
    await runOnce(
      [
        'train', 'recipes/cut.yaml', 'data=runs/walk/labels/rows.jsonl', 'method={ name: cut, gamma: 0, endOfTurn: ignore }',
        'train.epochs=1',
        ...RATE, 'run.dir=runs/walk/cut',
      ],
      'runs/walk/cut/adapter/adapter_model.safetensors',
    );
    const {
      before,
      after,
      change: { satisfied: gain },
    } = await runOnce([
      'evaluate',
      '--prompts',
      'examples/house-style/heldout.jsonl',
      '--judge',
      RULES,
      '--adapter',
      'runs/walk/cut/adapter',
      '--max-tokens',
      '96',
      '-o',
      'runs/walk/heldout.jsonl',
      '--overwrite',
    ]);
    return {
      what:
        "a judge taught on the rules' judgments of 160 answers to the briefs of dev.jsonl judges answers to those of "
        + "train.jsonl; CUT learns from that; the rules measure on heldout.jsonl",
      judge: taught,
      cut: { before, after, gain, findings: fewer('runs/walk/heldout.jsonl'), shown: gain.low > 0 },
    };
  },
  /** The loop with each of the two judges. */
  'online-house': async () => ({
    what: 'heed align with the judge of the stage `house`; the rules measure on heldout.jsonl',
    ...(await aligned('runs/walk/judge/adapter', 'runs/judgments/online-house')),
  }),
  'online-published': async () => ({
    what: 'heed align with the judge of the stage `quality`; the rules, which it knows nothing of, measure on heldout.jsonl',
    ...(await aligned('runs/judgments/judge/adapter', 'runs/judgments/online-published')),
  }),
  ...Object.fromEntries(tasks.map((task) => [`recipe-${task}`, () => recipeOn(task)])),
};

export const names = Object.keys(STAGES);

/** @param {string} name @param {import('../run.js').Settings} settings */
export async function run(name, { dev }) {
  if (dev) throw new UsageError('The settings of judgments were chosen on dev.jsonl by hand: there is no --dev.');
  const command = `${name === 'quality' ? 'HEED_DATA=<folder> ' : ''}npm run judgments -- ${name}`;
  const result = { ...(await STAGES[name]()), command, model: MODEL, seed: 0 };
  return { result, lines: [JSON.stringify(result, null, 2)] };
}
