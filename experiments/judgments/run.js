// @ts-check
// npm run judgments -- quality|house|online-house|online-published …: a small model that writes judgments, and what CUT learns from them. Writes experiments/judgments/<name>.json.
// What is there already of an earlier run (runs/judgments, runs/walk) is used again; remove those folders to start anew.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pairedDifference } from '@heed/heed';
import { makeRows, read } from './rows.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
process.chdir(ROOT);
/** CUT of few rows: the quickstart's settings, which dev.jsonl chose. */
const FEW = ['method.gamma=0', 'method.endOfTurn=ignore', 'train.learningRate=1e-3', 'train.batch=6', 'train.schedule=constant'];
const RULES = 'rules:examples/house-style/house-style.rules.yaml';

/** Runs `heed`; its result. `made` is a file that it leaves behind: where that is there, it is not run again. */
function heed(args, made, from) {
  if (made !== undefined && existsSync(made)) return from === undefined ? undefined : JSON.parse(readFileSync(from, 'utf8'));
  console.log(`heed ${args.map(quote).join(' ')}`);
  const { status, stdout } = spawnSync(process.execPath, ['packages/heed/bin/heed.js', ...args, '--json'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'], maxBuffer: 2 ** 28 });
  if (status !== 0) throw new Error(`heed ended with ${status}`);
  return JSON.parse(stdout.trim().split('\n').at(-1));
}
const quote = (word) => (/[\s{}[\]]/.test(word) ? `'${word}'` : word);

/** Has a judge write judgments of judged rows; what they are worth against the rows' own verdicts. */
function judged(data, name, judge, dir) {
  const report = heed([
    'label', 'recipes/label-judgments.yaml', `data=${data}`, `judge={ local: ${judge} }`, 'label={ name: judgments, maxNewTokens: 64 }', 'allowedFailures=1', `run.dir=${dir}`, 'store=runs/judgments/labels.db',
  ], join(dir, 'label-report.json'), join(dir, 'label-report.json'));
  const { rows, labelled, failed, measures: { satisfied, quoting, misquotes, cut, human } } = report;
  return {
    judge: name, rows, judged: labelled, failed: failed.reasons, satisfied, quoting: { judgments: quoting, of: labelled - satisfied }, misquotes, cut,
    ...(human === undefined ? {} : { ...human, aboveChance: human.balanced.low > 0.5, aboveMajority: human.accuracy.low > human.majority }),
  };
}

/** Online alignment with a judge that was taught; measured by the rules on held-out briefs, never by the judge. */
function aligned(adapter, dir) {
  const { base, after, findings, fluency, iterations, metric } = heed([
    'align', 'recipes/cut-online-judge.yaml', `judge={ local: { adapter: ${adapter} } }`, 'label={ name: judgments, maxNewTokens: 64 }', 'allowedFailures=1', ...FEW, 'generate.samples=2', 'loop.iterations=2', `run.dir=${dir}`, 'store=runs/judgments/labels.db', '--overwrite',
  ]);
  return { metric, before: base, after, shown: after.low > base.high, findings: { before: findings.base, after: findings.after }, fluency: { before: fluency.base, after: fluency.after }, iterations };
}

/** The paired change of findings an answer. */
function fewer(file) {
  const rows = read(file);
  const counts = (base) => rows.filter(({ by }) => (by === 'base') === base).map(({ findings }) => findings.length);
  return pairedDifference(counts(true), counts(false), { seed: 0 });
}

const STAGES = {
  /** Does a judge taught on published judgments tell good responses from bad ones, and quote them? */
  quality() {
    const from = process.env.HEED_DATA;
    if (from === undefined) throw new Error('Say where the research data are: HEED_DATA=<folder> npm run judgments -- quality');
    const made = makeRows(from, 'runs/judgments/data');
    heed(['train', 'recipes/judge-judgments.yaml', 'data.path=runs/judgments/data/taught.jsonl', 'run.dir=runs/judgments/judge'], 'runs/judgments/judge/adapter/adapter_model.safetensors');
    return {
      what: 'judgments of responses to other prompts than the judge was taught with, against the data: null is satisfactory', data: 'cut_iter1-5 and shepherd; held out: cut_iter alone, as many satisfactory as not', ...made,
      results: [judged('runs/judgments/data/held-out.jsonl', 'untaught', '{}', 'runs/judgments/untaught'), judged('runs/judgments/data/held-out.jsonl', 'taught', '{ adapter: runs/judgments/judge/adapter }', 'runs/judgments/taught')],
    };
  },
  /** Raw answers → judgments by a taught judge → CUT → before and after. */
  house() {
    const answers = (briefs, seed, to) => heed(['evaluate', '--prompts', `examples/house-style/${briefs}.jsonl`, '--judge', RULES, '--temperature', '0.8', '--seed', String(seed), '--max-tokens', '96', '-o', to], to);
    answers('dev', 1, 'runs/walk/judged-1.jsonl');
    answers('dev', 2, 'runs/walk/judged-2.jsonl');
    const rows = spawnSync(process.execPath, ['examples/judgment-rows.js', 'runs/walk/judged-1.jsonl', 'runs/walk/judged-2.jsonl'], { encoding: 'utf8' });
    if (rows.status !== 0) throw new Error(rows.stderr);
    writeFileSync('runs/walk/judge-rows.jsonl', rows.stdout);
    heed(['train', 'recipes/judge-judgments.yaml', 'data=runs/walk/judge-rows.jsonl', 'train.epochs=2', 'run.dir=runs/walk/judge'], 'runs/walk/judge/adapter/adapter_model.safetensors');
    answers('train', 11, 'runs/walk/raw-1.jsonl');
    answers('train', 12, 'runs/walk/raw-2.jsonl');
    const finished = ['runs/walk/raw-1.jsonl', 'runs/walk/raw-2.jsonl'].flatMap((file) => readFileSync(file, 'utf8').split('\n').filter((line) => line.includes('"finish":"stop"')));
    writeFileSync('runs/walk/answers.jsonl', `${finished.join('\n')}\n`);
    const taught = judged('runs/walk/answers.jsonl', 'taught', '{ adapter: runs/walk/judge/adapter }', 'runs/walk/labels');
    heed(['train', 'recipes/cut.yaml', 'data=runs/walk/labels/rows.jsonl', ...FEW, 'run.dir=runs/walk/cut'], 'runs/walk/cut/adapter/adapter_model.safetensors');
    const { before, after, change: { satisfied: gain } } = heed(['evaluate', '--prompts', 'examples/house-style/heldout.jsonl', '--judge', RULES, '--adapter', 'runs/walk/cut/adapter', '--max-tokens', '96', '-o', 'runs/walk/heldout.jsonl', '--overwrite']);
    return {
      what: 'a judge taught on the rules\' judgments of 160 answers to the briefs of dev.jsonl judges answers to those of train.jsonl; CUT learns from that; the rules measure on heldout.jsonl',
      judge: taught, cut: { before, after, gain, findings: fewer('runs/walk/heldout.jsonl'), shown: gain.low > 0 },
    };
  },
  /** The loop with each of the two judges. */
  'online-house': () => ({ what: 'heed align with the judge of the stage `house`; the rules measure on heldout.jsonl', ...aligned('runs/walk/judge/adapter', 'runs/judgments/online-house') }),
  'online-published': () => ({ what: 'heed align with the judge of the stage `quality`; the rules, which it knows nothing of, measure on heldout.jsonl', ...aligned('runs/judgments/judge/adapter', 'runs/judgments/online-published') }),
};

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !(name in STAGES));
if (wanted.length === 0 || unknown.length > 0) {
  console.error(`Name what to run: ${Object.keys(STAGES).join(', ')}.`);
  process.exit(2);
}
for (const name of wanted) {
  const result = {
    ...STAGES[name](), command: `${name === 'quality' ? 'HEED_DATA=<folder> ' : ''}npm run judgments -- ${name}`, model: 'SmolLM2-135M-Instruct', seed: 0,
    machine: `${cpus()[0].model.trim()}, ${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GiB`, heed: JSON.parse(readFileSync('packages/heed/package.json', 'utf8')).version,
  };
  writeFileSync(`experiments/judgments/${name}.json`, `${JSON.stringify(result, null, 2)}\n`);
  console.log(JSON.stringify(result, null, 2));
}
