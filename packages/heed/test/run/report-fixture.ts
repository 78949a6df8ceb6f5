/** A run folder as a real one looks, with content that would break a careless page. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { stringify } from 'yaml';

import { createRandom } from '../../src/run/random.js';

export const HOSTILE = '</script><script>window.hacked = 1</script><img src=x onerror="window.hacked = 1">';

const lines = (rows: readonly object[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join('');

/** A response whose first-person words a judgment quoted. */
export function heatmapRow(id: string, seed: number): object {
  const random = createRandom('heatmap', seed);
  const text =
    'We are proud to offer you the Alder desk lamp. It has a warm light, a steel arm and a base of oak.\n' +
    'I think that our lamp will make your evenings calm, and you can dim it with one touch.';
  const tokens = text.match(/[^\S\n]*\S+|\n/g) ?? [];
  const bad = new Set(['We', 'I', 'our', 'you', 'your']);
  const flagged = tokens.map((token) => bad.has(token.trim()));
  const logRatio = tokens.map((_, i) => (flagged[i] ? 1 + 2.5 * random.next() : 0.25 * random.normal() - 0.05));
  return {
    kind: 'heatmap', id, step: 4 * seed, tokens, logRatio, flagged,
    prompt: 'Write a short product text for the Alder desk lamp.',
    judgment: 'The text speaks in the first and second person. It uses the words "We", "you", "I", "our", "your".',
  };
}

const BAD = { verdict: 'not satisfied', reason: 'The text uses the words "We", "you", "our".' };
const GOOD = { verdict: 'satisfied', reason: 'No forbidden word.' };

/** Answers to one held-out prompt. After training those to prompts 2 and 4 are bad; before training only that to prompt 2 is good. */
function answersTo(i: number): object[] {
  const thing = ['Fennel kettle', 'Rowan chair', 'Alder lamp'][i % 3];
  const said = { kind: 'answer', id: `eval-${i}`, prompt: `Write a short product text for the ${thing}.` };
  return [
    {
      ...said, when: 'before', ...(i === 2 ? GOOD : BAD),
      response: 'We are proud to offer you our newest kettle. You will love it, and I promise that your kitchen will look better.',
    },
    {
      ...said, when: 'after', ...(i === 2 || i === 4 ? BAD : GOOD),
      response: 'The Fennel kettle boils a litre in two minutes. Its steel body keeps warm, and the handle stays cool.',
    },
  ];
}

/** Writes the run; gives its folder. */
export async function writeRun(dir: string, { steps = 120, hostile = false, heatmaps = 3 } = {}): Promise<string> {
  await mkdir(dir, { recursive: true });
  const random = createRandom('report');
  const recipe = stringify({
    model: 'SmolLM2-135M-Instruct', data: { path: 'examples/products.jsonl' }, method: { name: 'cut', lambda: 1.1 },
    adapter: { rank: 16, targets: 'mlp' }, train: { steps: 120, learningRate: 0.0004 }, run: { dir: 'runs/quickstart' },
  });
  await writeFile(join(dir, 'recipe.yaml'), hostile ? `${recipe}# ${HOSTILE}\n` : recipe);
  await writeFile(
    join(dir, 'metrics.jsonl'),
    lines(
      Array.from({ length: steps }, (_, i) => ({
        step: i + 1,
        loss: i === 7 ? null : 2.4 * Math.exp(-i / 40) + 0.9 + 0.15 * random.normal(),
        flagged: 0.18 * Math.exp(-i / 30) + 0.02 * random.next(),
        lr: 4e-4 * (1 - i / steps),
        tokens: 900 + random.int(200),
        seconds: 1.4 + 0.1 * random.normal(),
      })),
    ),
  );
  const answers = Array.from({ length: 6 }, (_, i) => answersTo(i)).flat();
  const nasty = hostile
    ? [
        { kind: 'answer', when: 'before', id: HOSTILE, prompt: HOSTILE, response: HOSTILE, verdict: HOSTILE, reason: HOSTILE },
        {
          kind: 'heatmap', id: HOSTILE, prompt: HOSTILE, judgment: HOSTILE,
          tokens: [HOSTILE, '<b>', '"', "' onmouseover='window.hacked = 1", '\u0000'],
          logRatio: [2, null, -3, 1, 0], flagged: [true, false, false, false, false],
        },
        { kind: 'heatmap', id: 'uneven', prompt: '', tokens: ['a'], logRatio: [], flagged: [] },
        { kind: 'other', note: HOSTILE },
      ]
    : [];
  const maps = Array.from({ length: heatmaps }, (_, i) => heatmapRow(`train-${i}`, i + 1));
  await writeFile(join(dir, 'samples.jsonl'), lines([...answers, ...maps, ...nasty]));
  await writeFile(
    join(dir, 'summary.json'),
    JSON.stringify({
      job: 'align',
      metric: hostile ? HOSTILE : 'share of held-out answers that keep to the house style',
      before: {
        satisfied: { mean: 0.328, low: 0.22, high: 0.45, n: 64 }, findings: { mean: 3.7, low: 3.1, high: 4.3, n: 64 },
        medianWords: 45, distinct2: 0.91, logprobPerToken: -1.42, unfinished: 0.031,
      },
      after: {
        satisfied: { mean: 0.875, low: 0.77, high: 0.94, n: 64 }, findings: { mean: 0.2, low: 0.1, high: 0.4, n: 64 },
        medianWords: 38, distinct2: 0.9, logprobPerToken: -1.51, unfinished: 0,
      },
      rounds: [{ answers: 64, satisfied: 21, trainedOn: 42 }, { answers: 63, satisfied: 40, trainedOn: 80, unjudged: { timeout: 1 } }],
      compared: { hindsight: { satisfied: { mean: 0.766, low: 0.65, high: 0.86, n: 64 }, medianWords: 41 } },
      seconds: 312.4,
      peakRssMb: 1874.2,
      resumedFrom: null,
    }),
  );
  return dir;
}
