// @ts-check
// How far int8 weights are from the f32 weights that they were made of: in free text, and where a judge chooses.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import {
  answerTokens,
  askedTokens,
  bootstrapInterval,
  comparison,
  createBranchScorer,
  createGenerator,
  createScorer,
  CRITERIA,
  loadModel,
  PLACES,
} from '@heed/heed';
import { startEngine } from '@heed/tensor';

const PRECISION = { precision: /** @type {const} */ ('int8') };
const round = (x) => Number(x.toPrecision(3));
const lines = (name) =>
  readFileSync(fileURLToPath(new URL(`../examples/${name}`, import.meta.url)), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
const user = (/** @type {string} */ content) => [{ role: /** @type {const} */ ('user'), content }];

/**
 * KL(int8 ‖ f32) a token over texts that the int8 generator samples at temperature 1: the mean of r − 1 − ln r, r = p_f32 / p_int8 of the
 * sampled token, which estimates it without bias and is never below 0 (Schulman, "Approximating KL divergence", k3); its interval is over
 * texts. And two-way choices over pairs of examples/.
 */
export async function measureFidelity(folder, { quick }) {
  const engine = await startEngine();
  const model = await loadModel(folder);
  try {
    const briefs = lines('house-style/heldout.jsonl').slice(0, quick ? 2 : 64);
    const kl = await divergence(
      engine,
      model,
      briefs.map(({ prompt }) => model.template.prompt(user(prompt))),
      quick ? 4 : 64,
    );
    const asked = choices(model, lines('preference.jsonl').slice(0, quick ? 2 : undefined));
    const [exact, rounded] = [await chosen(engine, model, asked), await chosen(engine, model, asked, PRECISION)];
    const same = exact.filter(([one, two], i) => one > two === rounded[i][0] > rounded[i][1]).length;
    const apart = exact.flatMap((of, i) => of.map((logp, j) => Math.abs(logp - rounded[i][j])));
    return {
      ours: { 'int8-fidelity': { klPerToken: kl, choices: asked.length, sameChoices: same } },
      ratios: {},
      checks: {
        'int8-fidelity: KL to f32, nats a token': `${round(kl.mean)} [${round(kl.low)}, ${round(kl.high)}], ${kl.n} texts`,
        'int8-fidelity: two-way choices equal to f32':
          `${same} of ${asked.length}; log-probabilities at most ${round(Math.max(...apart))} apart`,
      },
    };
  } finally {
    await engine.close();
  }
}

async function divergence(engine, { checkpoint, architecture, template }, prompts, maxNewTokens) {
  const generator = await createGenerator(engine, checkpoint, { decode: () => '', stopIds: template.stopIds, batch: 16, ...PRECISION });
  const made = await generator.generate(
    prompts.map((prompt, row) => ({ prompt, row })),
    { maxNewTokens, temperature: 1, seed: 0 },
  );
  await generator.release();
  const scorer = await createScorer(engine, { checkpoint, architecture });
  const exact = await scorer.logProbs(made.map(({ ids }, i) => ({ prompt: prompts[i], response: ids })));
  await scorer.release();
  const each = made.map(({ logprobs }, i) =>
    logprobs.reduce((sum, logq, t) => sum + Math.exp(exact[i][t] - logq) - 1 - (exact[i][t] - logq), 0),
  );
  const tokens = made.reduce((n, { ids }) => n + ids.length, 0);
  // Texts are of different lengths: each counts by its tokens.
  return bootstrapInterval(
    each.map((sum) => (sum * made.length) / tokens),
    { seed: 0 },
  );
}

function choices(model, pairs) {
  const how = { criterion: CRITERIA.helpful, exemplars: [], reasons: false };
  return pairs.flatMap(({ prompt, chosen: a, rejected: b }) =>
    /** @type {[string, string][]} */ ([
      [a, b],
      [b, a],
    ]).map((shown) => {
      const question = comparison(user(prompt), shown, how);
      return { prompt: askedTokens(model, question), answers: PLACES.map((place) => answerTokens(model, question, place)) };
    }),
  );
}

async function chosen(engine, model, requests, precision) {
  const scorer = await createBranchScorer(engine, model, undefined, precision);
  const logps = await scorer.logProbs(requests);
  await scorer.release();
  return logps.map((of) => of.map(([first]) => first));
}
