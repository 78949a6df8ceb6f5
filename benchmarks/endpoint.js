// @ts-check
// Whether a labelling run keeps an endpoint busy: `heed label` through our own server, beside the server's generator given everything at
// once.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { askedTokens, JudgmentsOptions, labelJudgments, loadModel, openVoices, startServer } from '@heed/heed';
import { startEngine } from '@heed/tensor';
import { heedLabel } from './heed-label.js';
import { median } from './median.js';

const AT_ONCE = 16;
const round = (x) => Number(x.toPrecision(4));
const lines = (name) =>
  readFileSync(fileURLToPath(new URL(`../examples/${name}`, import.meta.url)), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));

/** Judgments of texts from examples/, greedy; both sides get the same prompts and write the same tokens. */
export async function measureEndpoint(folder, { quick, log }) {
  const [rows, maxNewTokens, repetitions] = quick ? [4, 8, 1] : [64, 64, 3];
  const texts = lines('good.jsonl');
  const singles = lines('house-style/heldout.jsonl')
    .slice(0, rows)
    .map(({ prompt }, i) => ({ prompt, completion: texts[i % texts.length].completion }));
  const options = JudgmentsOptions.parse({ name: 'judgments', maxNewTokens });
  const scratch = mkdtempSync(join(tmpdir(), 'heed-bench-'));
  const engine = await startEngine();
  const model = await loadModel(folder);
  const voices = await openVoices(engine, model, { name: 'served', batch: AT_ONCE });
  const server = await startServer(voices, { port: 0 });
  try {
    writeFileSync(join(scratch, 'rows.jsonl'), singles.map((row) => `${JSON.stringify(row)}\n`).join(''));
    const recipe = (number) => ({
      data: join(scratch, 'rows.jsonl'),
      judge: { endpoint: { url: `${server.url}/v1`, model: 'served', concurrency: AT_ONCE } },
      label: { name: 'judgments', maxNewTokens },
      store: join(scratch, `labels-${number}.db`),
      allowedFailures: 1,
      run: { dir: join(scratch, `run-${number}`) },
    });
    const prompts = await promptsOf(model, singles, options);
    const { generator } = voices.all.get('served');
    const timings = { label: [], generator: [] };
    let tokens;
    for (let i = 0; i <= repetitions; i++) {
      log(i === 0 ? '  warm-up' : `  repetition ${i} of ${repetitions}`);
      const begin = performance.now();
      const made = await generator.generate(
        prompts.map((prompt, row) => ({ prompt, row })),
        { maxNewTokens, temperature: 0, seed: 0 },
      );
      const alone = (performance.now() - begin) / 1000;
      tokens = made.reduce((n, { ids }) => n + ids.length, 0);
      const { report } = await heedLabel(recipe(i), scratch);
      if (report.asking.completionTokens !== tokens)
        throw new Error(
          `endpoint: the labelling run wrote ${report.asking.completionTokens} tokens, the generator ${tokens}: they `
          + 'do not do the same work.',
        );
      if (i === 0) continue;
      timings.generator.push(alone);
      timings.label.push(report.seconds);
    }
    const [seconds, generatorSeconds] = [median(timings.label), median(timings.generator)];
    return {
      ours: {
        endpoint: {
          rows,
          tokens,
          concurrency: AT_ONCE,
          seconds: round(seconds),
          generatorSeconds: round(generatorSeconds),
          repetitions,
        },
      },
      ratios: { 'endpoint/generator': round(generatorSeconds / seconds) },
      checks: {},
    };
  } finally {
    await server.stop();
    await engine.close();
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** The tokens of the questions that the labeler asks. */
async function promptsOf(model, singles, options) {
  const prompts = [];
  const writes = singles.map(({ prompt, completion }) => ({
    source: { file: 'rows.jsonl', line: 0 },
    prompt: [{ role: 'user', content: prompt }],
    completion,
  }));
  /** @type {import('@heed/heed').Respondent} */
  const notes = {
    name: 'notes the questions',
    async choose() {
      throw new Error('Judgments are written, not chosen.');
    },
    async write(questions) {
      prompts.push(...questions.map((question) => askedTokens(model, question)));
      return questions.map(() => ({
        text: 'Perfect.',
        finish: /** @type {const} */ ('stop'),
        usage: { promptTokens: 0, completionTokens: 0, milliseconds: 0 },
      }));
    },
    async close() {},
  };
  await labelJudgments(writes, notes, options);
  return prompts;
}
