// A method of one's own: supervised fine-tuning in which a short response weighs more than a long one.
import { loadModel, train } from '@heed/heed';
import { bind, defineMethod } from '@heed/heed/method';
import { mul, neg, sum } from '@heed/heed/tensor';
import { z } from 'zod';

/** L = −Σ w Σ_t log p(y_t|…) / Σ tokens, where w = 1 up to `words` words, and falls from there. */
const brief = defineMethod({
  name: 'brief',
  paper: 'none: an example',
  row: 'completion',
  options: z.strictObject({ words: z.number().positive().default(12) }),
  names: ['response'],
  columns: ['weight'],
  sequences: ({ prompt, completion }, text) => ({ response: text.respond(prompt, completion) }),
  columnsOf: ({ completion }, { words }) => ({ weight: Math.min(1, words / completion.split(/\s+/).length) }),
  loss({ logp: { response }, columns, rows }) {
    const weight = columns['weight']!;
    return {
      terms: [{ sum: neg(sum(mul(weight, response.sum()))), count: sum(response.count()) }],
      metrics: { weight: { sum: sum(weight), count: rows } },
    };
  },
});

const { loss } = await train({
  model: await loadModel(),
  method: bind(brief, { words: 8 }),
  rows: [{ prompt: [{ role: 'user', content: 'Name a colour.' }], completion: 'Blue.' }],
  options: { steps: 1, batch: 1 },
  onStep: (metrics) => console.log(metrics),
});
console.log(`loss ${loss.toFixed(4)}`);
