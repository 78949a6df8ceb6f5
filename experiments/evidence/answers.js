// @ts-check
// A yardstick of the same for every method: what became of the log-probability of true and of false answers to held-out questions.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createRespond, createScorer, loadAdapter, loadModel, pairedDifference, startEngine } from '@heed/heed';
import { view } from '@heed/tensor';
import { MODEL } from '../shared/heed.js';

/**
 * @param pairs One { prompt, chosen, rejected } a question: a true answer and a false one.
 * @param folder Where what the model itself says of them is kept from one run to the next: it is the same for all.
 * @returns Sums over an answer's tokens with its end of turn, before and after, and their paired change: `logp_true`, `logp_false`, `gap`
 *   (of the two), `logp_true_token` (the mean of a token), and `accuracy`, how often the true answer is the likelier one (half where
 *   equal).
 */
export async function answersUnder(adapterFolder, pairs, folder) {
  const known = join(folder, `answers-${createHash('sha256').update(JSON.stringify(pairs)).digest('hex').slice(0, 12)}.json`);
  const model = await loadModel(MODEL, { log: () => undefined });
  const text = createRespond(model.template);
  const sequences = pairs.flatMap(({ prompt, chosen, rejected }) => [chosen, rejected].map((answer) => text.respond(prompt, answer)));
  const engine = await startEngine();
  const measure = async (adapter) => {
    const scorer = await createScorer(engine, model, adapter);
    const sums = (await scorer.logProbs(sequences)).map((of) => ({ sum: of.reduce((a, b) => a + (b ?? 0), 0), tokens: of.length }));
    await scorer.release();
    return pairs.map((_, i) => {
      const [good, bad] = [sums[2 * i], sums[2 * i + 1]];
      return {
        logp_true: good.sum,
        logp_false: bad.sum,
        gap: good.sum - bad.sum,
        logp_true_token: good.sum / good.tokens,
        accuracy: (Math.sign(good.sum - bad.sum) + 1) / 2,
      };
    });
  };
  try {
    const before = existsSync(known) ? JSON.parse(readFileSync(known, 'utf8')) : await measure();
    writeFileSync(known, JSON.stringify(before));
    const { plan, parameters } = await loadAdapter(adapterFolder, model.checkpoint);
    const after = await measure({ plan, parameters: view(await engine.upload(parameters)) });
    const mean = (rows, name) => rows.reduce((sum, row) => sum + row[name], 0) / rows.length;
    return Object.fromEntries(
      Object.keys(before[0]).map((name) => [
        name,
        {
          before: mean(before, name),
          after: mean(after, name),
          change: pairedDifference(
            before.map((row) => row[name]),
            after.map((row) => row[name]),
            { seed: 0, resamples: 2000 },
          ),
        },
      ]),
    );
  } finally {
    await engine.close();
  }
}
