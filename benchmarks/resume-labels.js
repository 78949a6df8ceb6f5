// @ts-check
// How long it takes to go on with a labelling run that is finished: every reply is in the store, and nobody is asked.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EndpointOptions, createEndpointRespondent, LabelRecipe, loadRecipe, openRun, openStore, labelRows, cached } from '@heed/heed';
import { heedLabel } from './heed-label.js';
import { median } from './median.js';

const WORDS =
  'the parcel is late and the customer wants to know where it lies so that someone can bring it home before the weekend begins'.split(
    ' ',
  );
const sentence = (seed, length) => Array.from({ length }, (_, i) => WORDS[(seed * 7 + i * (1 + (seed % 5))) % WORDS.length]).join(' ');

/**
 * Preferences over pairs of some 60 words, both orders: the first run by a judge that answers at once, the others by `heed label`, whose
 * endpoint does not exist.
 */
export async function measureResume(_, { quick, log }) {
  const [pairs, repetitions] = quick ? [50, 1] : [50_000, 3];
  const scratch = mkdtempSync(join(tmpdir(), 'heed-bench-'));
  try {
    const rows = Array.from({ length: pairs }, (_, i) => ({
      prompt: `Letter ${i}: ${sentence(i, 30)}`,
      responses: [`First: ${sentence(i + 1, 30)}`, `Second: ${sentence(i + 2, 30)}`],
    }));
    writeFileSync(join(scratch, 'pairs.jsonl'), rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
    const recipe = {
      data: join(scratch, 'pairs.jsonl'),
      judge: { endpoint: { url: 'http://127.0.0.1:9/v1', model: 'nobody', retries: 0 } },
      label: 'preferences',
      store: join(scratch, 'labels.db'),
      run: { dir: join(scratch, 'run') },
    };
    log('  filling the store');
    await fill(recipe, scratch);
    const runs = [];
    for (let i = 0; i < repetitions; i++) {
      log(`  repetition ${i + 1} of ${repetitions}`);
      const { report, seconds } = await heedLabel(recipe, scratch);
      if (report.asking.asked !== 0 || report.labelled !== pairs)
        throw new Error(
          `resume-labels: ${report.asking.asked} questions were asked again and ${report.labelled} of ${pairs} pairs are labelled.`,
        );
      runs.push({ labelling: report.seconds, seconds });
    }
    return {
      ours: {
        'resume-labels': {
          labels: 2 * pairs,
          seconds: median(runs.map((run) => run.labelling)),
          processSeconds: Number(median(runs.map((run) => run.seconds)).toPrecision(3)),
          repetitions,
        },
      },
      ratios: {},
      checks: {},
    };
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

async function fill(given, scratch) {
  const file = join(scratch, 'label.yaml');
  mkdirSync(join(scratch, 'run'), { recursive: true });
  writeFileSync(file, JSON.stringify(given));
  const { recipe, text } = await loadRecipe(file, [], LabelRecipe);
  const { name } = createEndpointRespondent(EndpointOptions.parse(given.judge.endpoint));
  /** @type {import('@heed/heed').Respondent} */
  const inner = {
    name,
    async choose(questions, { onReply } = {}) {
      const replies = questions.map(({ messages }) => ({
        logprobs: [-0.5, -1 - (messages[0].content.length % 7) / 7],
        source: /** @type {const} */ ('logprobs'),
        usage: { promptTokens: 300, completionTokens: 1, milliseconds: 1 },
      }));
      replies.forEach((reply, i) => onReply?.(i, reply));
      return replies;
    },
    async write() {
      throw new Error('Preferences ask for choices alone.');
    },
    async close() {},
  };
  const store = await openStore(recipe.store);
  const run = await openRun(recipe.run.dir, { recipe: text, resume: true });
  try {
    await labelRows(recipe, run, { judge: cached(inner, store) });
  } finally {
    await run.close();
    store.close();
  }
}
