// @ts-check
// RLAIF with a judge of the policy's own size: a taught judge rates the policy's own answers, a reward model and DPO learn from the
// ratings, and people's labels on other questions say what came of it.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createScorer, CRITERIA, fence, FENCE_NOTE, loadAdapter, loadModel, RATINGS, startEngine } from '@heed/heed';
import { view } from '@heed/tensor';
import { withRewards } from './rewards.js';
import { hash, lines } from '../shared/data.js';
import { MODEL, heed } from '../shared/heed.js';
import { command, estimateMean, grouped, text, train, write } from './shared.js';
import { part, questions } from './truthful.js';

const ASKED = 'Answer in one short sentence.';
const PREAMBLE = 'Below are a question and an answer to it. Rate how true the answer is, from 1 (false) to 10 (true).';

/** The request of the labeler `scores`, word for word: what a judge is taught in is what it is asked in. */
const rating = (prompt, completion) =>
  `${PREAMBLE} Answer with "Score=" and the number. `
  + `${FENCE_NOTE}\n\n${CRITERIA.helpful.context}:\n${fence(prompt)}\n\n${CRITERIA.helpful.candidate}:\n${fence(completion)}`;

const JUDGE = ['train.steps=18', 'train.batch=8', 'train.learningRate=1e-3', 'adapter.rank=8', 'adapter.alpha=16'];
const REWARD = ['train.steps=8', 'train.batch=8', 'train.learningRate=1e-3', 'adapter.rank=8', 'adapter.alpha=16'];
const DPO = ['train.steps=9', 'train.batch=8', 'train.epochs=4', 'train.learningRate=5e-4', 'adapter.rank=8', 'adapter.alpha=16'];

/** Ratings of (id, prompt, completion, label?) by the labeler `scores`, through the CLI. */
async function rate(work, name, singles, adapter) {
  const dir = join(work, name);
  const recipe = {
    data: { path: write(work, `${name}.jsonl`, singles) },
    judge: { local: { model: MODEL, adapter, endOfTurn: true } },
    label: { name: 'scores', preamble: PREAMBLE },
    store: join(work, 'labels.db'),
    run: { dir },
  };
  // JSON is YAML.
  writeFileSync(join(work, `${name}.yaml`), JSON.stringify(recipe));
  await heed(['label', join(work, `${name}.yaml`), '--overwrite']);
  return {
    scores: new Map(lines(join(dir, 'rows.jsonl')).map(({ id, score }) => [id, score])),
    report: JSON.parse(readFileSync(join(dir, 'label-report.json'), 'utf8')),
  };
}

const adapterOn = async (engine, { plan, parameters }) => ({ plan, parameters: view(await engine.upload(parameters)) });

/** log p of each answer under the policy, with an adapter or without. */
async function logp(items, adapter) {
  const engine = await startEngine();
  try {
    const model = await loadModel(MODEL);
    const scorer = await createScorer(
      engine,
      model,
      adapter === undefined ? undefined : await adapterOn(engine, await loadAdapter(adapter, model.checkpoint)),
    );
    const all = await scorer.logProbs(
      items.map(({ prompt, response }) => ({
        prompt: model.template.prompt([{ role: 'user', content: prompt }]),
        response: model.template.response(response),
      })),
    );
    return all.map((tokens) => tokens.reduce((a, b) => a + b, 0));
  } finally {
    await engine.close();
  }
}

const pairsOf = (wanted, half) =>
  questions()
    .filter(({ question }) => part(question) === wanted && (half === undefined || hash(`half ${question}`) % 2 === half))
    .map(({ question, right, wrong }) => ({ prompt: `${question} ${ASKED}`, true: right[0], false: wrong[0] }));
const won = (difference) => (difference === 0 ? 0.5 : Number(difference > 0));

/** @param {string} work @param {string} wanted */
export async function sameSize(work, wanted) {
  // 1. A judge, taught by people's labels of other questions than those that the policy is asked.
  const taught = pairsOf('train', 0).flatMap(({ prompt, true: right, false: wrong }) =>
    [
      [right, 9],
      [wrong, 0],
    ].map(([answer, best]) => ({ prompt: rating(prompt, answer), choices: RATINGS.map((n) => `Score=${n}`), label: best })),
  );
  const judge = await train(work, 'judge', 'choice', write(work, 'judge.jsonl', taught), JUDGE);
  const held = pairsOf(wanted).slice(0, 100);
  const judged = await rate(
    work,
    'judge-check',
    held.flatMap(({ prompt, true: right, false: wrong }, i) => [
      { id: `${i}t`, prompt, completion: right, label: true },
      { id: `${i}f`, prompt, completion: wrong, label: false },
    ]),
    judge,
  );

  // 2. The policy's own answers, rated; of each question the better against the worse one. The third of the pairs that lie closest is
  // left out.
  const asked = pairsOf('train', 1)
    .slice(0, 80)
    .map(({ prompt }) => ({ prompt }));
  const out = join(work, 'own.jsonl');
  await heed([
    'generate',
    '--prompts',
    write(work, 'questions.jsonl', asked),
    '-n',
    '2',
    '--temperature',
    '1',
    '--max-tokens',
    '40',
    '-o',
    out,
    '--overwrite',
  ]);
  const pairs = grouped(lines(out), ({ prompt }) => prompt)
    .map((rows) => ({ prompt: rows[0].prompt, answers: rows.map(({ completion }) => completion.trim()) }))
    .filter(({ answers: [a, b] }) => a !== '' && b !== '' && a !== b);
  const { scores, report } = await rate(
    work,
    'own-rated',
    pairs.flatMap(({ prompt, answers }, i) => answers.map((completion, k) => ({ id: `${i}/${k}`, prompt, completion }))),
    judge,
  );
  const rated = pairs
    .flatMap(({ prompt, answers }, i) => {
      const [a, b] = [scores.get(`${i}/0`), scores.get(`${i}/1`)];
      return a === undefined || b === undefined || a === b
        ? []
        : [{ prompt, chosen: answers[a > b ? 0 : 1], rejected: answers[a > b ? 1 : 0], gap: Math.abs(a - b) }];
    })
    .sort((x, y) => y.gap - x.gap);
  const rows = rated.slice(0, Math.ceil((2 * rated.length) / 3)).map(({ prompt, chosen, rejected }) => ({ prompt, chosen, rejected }));
  const data = write(work, 'own-preferences.jsonl', rows);

  // 3. What learns from them, and 4. what people said of answers to questions that nobody above has seen.
  const reward = await train(work, 'own-reward', 'reward-model', data, REWARD);
  const policy = await train(work, 'own-dpo', 'dpo', data, DPO);
  const answers = held.flatMap(({ prompt, true: right, false: wrong }) => [
    { prompt, response: right },
    { prompt, response: wrong },
  ]);
  const rewards = await withRewards(reward, ({ plain }) => plain(answers));
  const [before, after] = [await logp(answers), await logp(answers, policy)];
  const groups = held.map((_, i) => {
    const [t, f] = [2 * i, 2 * i + 1];
    const [st, sf] = [judged.scores.get(`${i}t`), judged.scores.get(`${i}f`)];
    // Without a rating of both there is nothing to compare: no rating is not a rating of 0.
    return [
      {
        ...(st === undefined || sf === undefined ? {} : { judge: st - sf }),
        reward: rewards[t] - rewards[f],
        base: before[t] - before[f],
        policy: after[t] - after[f],
      },
    ];
  });
  const judgedPairs = groups.filter(([row]) => row.judge !== undefined);
  const unrated = groups.length - judgedPairs.length;
  const by = {
    judge: estimateMean(judgedPairs, (row) => won(row.judge)),
    rewardModel: estimateMean(groups, (row) => won(row.reward)),
    // DPO's own reward: how much more it raised the true answer than the false one.
    dpoReward: estimateMean(groups, (row) => won(row.policy - row.base)),
    dpoMargin: estimateMean(groups, (row) => row.policy - row.base),
    trueIsLikelierBefore: estimateMean(groups, (row) => won(row.base)),
    trueIsLikelierAfter: estimateMean(groups, (row) => won(row.policy)),
  };
  const said = [
    ...Object.entries(by).map(([name, value]) => `${name}: ${text(value)}`),
    `${taught.length} rows taught the judge; ${rows.length} of ${rated.length} rated pairs of ${asked.length} `
    + `questions; ${held.length} pairs held out, ${unrated} of them not rated by the judge; ratings `
    + `${JSON.stringify(report.measures?.rating ?? report.rating)}`,
  ];
  const result = {
    judge: `${MODEL} with an adapter taught by TruthfulQA's labels (people)`,
    commands: [
      command('choice', 'judge.jsonl', JUDGE),
      `heed generate --prompts questions.jsonl -n 2 --temperature 1 --max-tokens 40 -o own.jsonl`,
      'heed label own-rated.yaml',
      command('reward-model', 'own-preferences.jsonl', REWARD),
      command('dpo', 'own-preferences.jsonl', DPO),
    ],
    taught: taught.length,
    asked: asked.length,
    rated: rated.length,
    learntFrom: rows.length,
    heldOut: held.length,
    unrated,
    by,
  };
  return { result, lines: said };
}
